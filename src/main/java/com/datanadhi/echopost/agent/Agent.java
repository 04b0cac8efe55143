package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.DirectoryLock;
import com.datanadhi.echopost.directory.Sessions;
import com.datanadhi.echopost.directory.UnusableDirectoryException;
import com.datanadhi.echopost.directory.Workspace;
import com.datanadhi.echopost.ingest.Ingest;
import com.datanadhi.echopost.ingest.StuckException;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.logging.SessionLog;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.replay.Replay;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import com.datanadhi.echopost.upstream.HealthProbe;
import com.datanadhi.echopost.upstream.MainServer;
import com.datanadhi.echopost.upstream.ServerHealth;
import com.datanadhi.echopost.upstream.ServerState;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.StructuredTaskScope;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One run of the agent on one directory: takes the directory, runs ingest, health-probe and replay
/// as siblings in one scope until drained or stopped, and leaves the directory as the next run
/// needs it.
///
/// [#run] is called once; [#requestStop] may come from any thread at any time.
public final class Agent {
  private final Path directory;
  private final Set<PosixFilePermission> socketMode;
  private final @Nullable Path textfileDirectory;
  private final Supplier<MainServer> mainServer;
  private final AgentIdentity identity;
  private final Clock clock;
  private final OutputStream standardOut;
  private final @Nullable String predecessorDiedOf;
  private final AtomicReference<@Nullable Lifecycle> lifecycle = new AtomicReference<>();
  private volatile @Nullable ServerState serverState;
  private @Nullable StatusReporter report;
  private @Nullable TextfileExporter textfile;
  private volatile @Nullable String stopReason;

  /// @param directory the agent's own, created when missing
  /// @param socketMode the permissions of the socket file
  /// @param textfileDirectory where metrics are left for a collector, or null
  /// @param mainServer makes where records go, which [#run] closes
  /// @param serverName the server's URL without user and password, for the log and for operators
  /// @param version for the log and for operators
  /// @param standardOut gets a copy of the session log
  /// @param predecessorDiedOf for the log, when this run was started in the place of one that
  ///   crashed or was killed
  public Agent(
      Path directory,
      Set<PosixFilePermission> socketMode,
      @Nullable Path textfileDirectory,
      Supplier<MainServer> mainServer,
      String serverName,
      String version,
      Clock clock,
      OutputStream standardOut,
      @Nullable String predecessorDiedOf) {
    this.directory = directory;
    this.socketMode = socketMode;
    this.textfileDirectory = textfileDirectory;
    this.mainServer = mainServer;
    this.identity =
        new AgentIdentity(version, serverName, ProcessHandle.current().pid(), clock.millis());
    this.clock = clock;
    this.standardOut = standardOut;
    this.predecessorDiedOf = predecessorDiedOf;
  }

  /// Asks the run to end: what is in flight is committed or refused, what is pending stays on disk.
  ///
  /// @param reason for the log
  public void requestStop(String reason) {
    stopReason = reason;
    Lifecycle running = lifecycle.get();
    if (running != null) {
      running.requestStop(reason);
    }
  }

  /// Runs to the end.
  ///
  /// @return how it ended
  /// @throws UnusableDirectoryException when the directory cannot be the agent's
  /// @throws StorageException when the buffer cannot be opened at all
  public ExitCode run()
      throws UnusableDirectoryException, StorageException, IOException, InterruptedException {
    try (IngestStarter early = new IngestStarter(() -> new Ingest(directory, socketMode, clock))) {
      return runIn(Workspace.prepare(directory), early);
    }
  }

  private ExitCode runIn(Workspace workspace, IngestStarter early)
      throws UnusableDirectoryException, StorageException, IOException, InterruptedException {
    // Ingest ends while the directory is still ours.
    try (DirectoryLock lock = takeLock(workspace);
        early) {
      if (lock == null) {
        return ExitCode.OWNED;
      }
      workspace.removeDeadSocket();
      // Ahead of the socket: on a full disk it makes room for both.
      Path session = newSession();
      early.bind();
      try (SessionLog log = SessionLog.open(session.resolve(DirectoryLayout.LOG), standardOut)) {
        return runLogged(workspace, lock, session, early);
      }
    }
  }

  private Path newSession() throws IOException {
    try {
      return Sessions.create(directory, clock.now());
    } catch (FileSystemException failed) {
      // On a full disk, what is pending can only be delivered by a run that has room for its log.
      if (!Buffer.releaseReserve(directory)) {
        throw failed;
      }
      return Sessions.create(directory, clock.now());
    }
  }

  private @Nullable DirectoryLock takeLock(Workspace workspace)
      throws UnusableDirectoryException, InterruptedException {
    try {
      return DirectoryLock.take(workspace.lockFile(), clock);
    } catch (IOException failed) {
      throw new UnusableDirectoryException(
          "cannot lock "
              + workspace.lockFile()
              + " ("
              + failed
              + "): mend its permissions or choose another directory with -datanadhi");
    }
  }

  private ExitCode runLogged(
      Workspace workspace, DirectoryLock lock, Path session, IngestStarter early)
      throws StorageException, IOException, InterruptedException {
    Waiter replayWaiter = new Waiter();
    logStart(workspace, lock);
    Buffer buffer = openBuffer(replayWaiter);
    Ingest ingest = bound(early, buffer);
    try (MainServer server = mainServer.get()) {
      return serve(buffer, ingest, server, replayWaiter, session);
    }
  }

  private static Ingest bound(IngestStarter early, Buffer buffer)
      throws StorageException, IOException, InterruptedException {
    try {
      return early.await();
    } catch (IOException | RuntimeException | LinkageError failed) {
      Events.severe(EventNames.SOCKET_UNUSABLE, "reason", failed.toString());
      buffer.close();
      throw failed;
    }
  }

  private Buffer openBuffer(Waiter replayWaiter) throws StorageException {
    try {
      return Buffer.open(directory, clock, new CommitListener(replayWaiter));
    } catch (StorageException | RuntimeException | LinkageError failed) {
      StorageException storage =
          failed instanceof StorageException known
              ? known
              : new StorageException("the buffer cannot be opened: " + failed, failed);
      Events.severe(EventNames.STORAGE_UNUSABLE, "reason", storage.getMessage());
      throw storage;
    }
  }

  private void logStart(Workspace workspace, DirectoryLock lock) throws IOException {
    Events.info(
        EventNames.AGENT_STARTED,
        "version",
        identity.version(),
        "pid",
        identity.pid(),
        "directory",
        directory.toAbsolutePath().normalize(),
        "server",
        identity.server());
    if (predecessorDiedOf != null) {
      Events.warning(EventNames.RESTARTED_AFTER_CRASH, "died_of", predecessorDiedOf);
    }
    if (lock.ownerWriteFailure() != null) {
      Events.warning(
          EventNames.LOCK_OWNER_NOT_WRITTEN,
          "reason",
          lock.ownerWriteFailure().toString(),
          "action",
          "see to the disk; the lock holds, but its file does not say whose it is");
    }
    String others = workspace.writableBy();
    if (others != null) {
      Events.warning(
          EventNames.DIRECTORY_WRITABLE_BY_OTHERS,
          "writable_by",
          others,
          "risk",
          "they can take the socket's place and get what is sent there, and hold the agent up",
          "action",
          "chmod go-w " + directory.toAbsolutePath().normalize());
    }
  }

  private ExitCode serve(
      Buffer buffer, Ingest ingest, MainServer server, Waiter replayWaiter, Path session)
      throws StorageException, IOException, InterruptedException {
    Totals atStart = buffer.totals();
    Events.info(
        EventNames.BUFFER_OPENED, "pending", atStart.pending(), "rejected", atStart.rejected());
    ExitCode ended = ExitCode.FATAL;
    boolean stuckForGood = false;
    try (ingest) {
      ended = runScope(buffer, ingest, server, replayWaiter, session);
    } catch (StuckException stuck) {
      // The writer may never come back: nothing can be closed, the process has to end.
      Events.severe(
          EventNames.AGENT_STALLED,
          "reason",
          stuck.getMessage(),
          "action",
          "see to the disk, then start again");
      stuckForGood = true;
    } catch (StorageException failed) {
      Events.severe(
          EventNames.STORAGE_FAILED, failed, "action", "see to the disk, then start again");
    } catch (RuntimeException broken) {
      Events.severe(
          EventNames.AGENT_FAILED, broken, "action", "report it; what was accepted is on disk");
      throw broken;
    }
    if (stuckForGood) {
      return ExitCode.FATAL;
    }
    // What is still in the writer's hands is committed now: only then do the totals say how the run
    // ended.
    buffer.close();
    leaveMetrics(session);
    ExitCode code = exitCode(ended, buffer);
    Totals atEnd = buffer.totals();
    long discarded = atEnd.discarded() - atStart.discarded();
    // Rejected records have become more by rejections, fewer by what operators did.
    long redriven = atStart.rejected() + buffer.rejections() - discarded - atEnd.rejected();
    Events.info(
        EventNames.AGENT_STOPPED,
        "exit_code",
        code.code(),
        "accepted",
        atEnd.accepted() - atStart.accepted(),
        "delivered",
        atEnd.delivered() - atStart.delivered(),
        "rejected",
        buffer.rejections(),
        "redriven",
        redriven == 0 ? null : redriven,
        "discarded",
        discarded == 0 ? null : discarded,
        "pending",
        atEnd.pending());
    return code;
  }

  private void leaveMetrics(Path session) throws InterruptedException {
    if (report == null) {
      return;
    }
    String last = report.lastMetrics();
    try {
      Sessions.write(session.resolve(DirectoryLayout.METRICS), last);
    } catch (IOException failed) {
      Events.warning(EventNames.METRICS_NOT_WRITTEN, "reason", failed.toString());
    }
    if (textfile != null) {
      textfile.end(last);
    }
  }

  private static ExitCode exitCode(ExitCode ended, Buffer buffer) {
    if (ended == ExitCode.FATAL || buffer.wasDamaged()) {
      return ExitCode.FATAL;
    }
    if (!buffer.isDrained()) {
      return ExitCode.STOPPED;
    }
    return buffer.rejections() > 0 ? ExitCode.REJECTED : ExitCode.DRAINED;
  }

  /// The three siblings and the lifecycle that watches over them, wired.
  private ExitCode runScope(
      Buffer buffer, Ingest ingest, MainServer server, Waiter replayWaiter, Path session)
      throws StorageException, StuckException, IOException, InterruptedException {
    HealthProbe health = new HealthProbe(server::probe, replayWaiter::wake, clock);
    serverState = health.state();
    Replay replay =
        new Replay(buffer, server::deliver, health.state(), clock, replayWaiter, new Random());
    StatusReporter told =
        new StatusReporter(identity, directory, buffer, ingest, replay, health.state(), clock);
    report = told;
    ingest.takeInto(buffer, told);
    Lifecycle own = new Lifecycle(buffer, ingest, health.state(), clock);
    lifecycle.set(own);
    String early = stopReason;
    if (early != null) {
      own.requestStop(early);
    }
    AgentState _ = own.turn();
    Events.info(EventNames.AGENT_READY);
    try (var scope = StructuredTaskScope.open(new FirstCompletedJoiner())) {
      scope.fork(() -> {
        ingest.run();
        return neverHere();
      });
      scope.fork(() -> {
        health.run();
        return neverHere();
      });
      scope.fork(() -> {
        replay.run();
        return neverHere();
      });
      scope.fork(() -> {
        told.run();
        return neverHere();
      });
      scope.fork(own::run);
      pruneSessions(session);
      startTextfile(told);
      AgentState end = scope.join();
      return end instanceof AgentState.Drained ? ExitCode.DRAINED : ExitCode.STOPPED;
    } catch (StructuredTaskScope.FailedException failed) {
      switch (failed.getCause()) {
        case StorageException storage -> throw storage;
        case StuckException stuck -> throw stuck;
        case IOException io -> throw io;
        case null, default -> throw failed;
      }
    }
  }

  private void startTextfile(StatusReporter told) {
    if (textfileDirectory != null) {
      textfile = new TextfileExporter(textfileDirectory, directory, () -> told.metrics(false));
      textfile.start();
    }
  }

  private void pruneSessions(Path session) {
    try {
      Sessions.prune(directory, session);
    } catch (IOException failed) {
      Events.warning(EventNames.SESSIONS_NOT_PRUNED, "reason", failed.toString());
    }
  }

  private static AgentState neverHere() {
    throw new IllegalStateException("a sibling ended without being told to");
  }

  private final class CommitListener implements BufferListener {
    private final Waiter replayWaiter;

    CommitListener(Waiter replayWaiter) {
      this.replayWaiter = replayWaiter;
    }

    @Override
    public void stored() {
      // While the server is down replay would wake up for nothing, some hundred times a second; it
      // is woken when the server is up.
      ServerState known = serverState;
      if (known != null && known.health() == ServerHealth.UP) {
        replayWaiter.wake();
      }
    }

    @Override
    public void failed() {
      Lifecycle running = lifecycle.get();
      if (running != null) {
        running.wake();
      }
    }

    @Override
    public void bufferReplaced() {
      replayWaiter.wake();
    }
  }
}
