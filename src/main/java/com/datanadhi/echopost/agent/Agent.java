package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.Sessions;
import com.datanadhi.echopost.directory.UnusableDirectoryException;
import com.datanadhi.echopost.ingest.Ingest;
import com.datanadhi.echopost.ingest.StuckException;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.replay.Replay;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import com.datanadhi.echopost.upstream.HealthProbe;
import com.datanadhi.echopost.upstream.MainServer;
import com.datanadhi.echopost.upstream.ServerState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.StructuredTaskScope;
import org.jspecify.annotations.Nullable;

/// One run of the agent on one directory: opens its [AgentResources], runs ingest, the health
/// probe, replay, the status reporter and the lifecycle as siblings in one scope until the run is
/// drained or stopped, and closes everything.
///
/// [#run] is called once; [#requestStop] may be called from any thread at any time.
public final class Agent {
  private final AgentSettings settings;
  private final AgentIdentity identity;
  private final Clock clock;
  private final RunSignals signals = new RunSignals();
  private final Waiter replayWaiter = new Waiter();
  private final ServerState serverState;

  public Agent(AgentSettings settings, Clock clock) {
    this.settings = settings;
    this.clock = clock;
    this.identity =
        new AgentIdentity(
            settings.version(),
            settings.serverUrl(),
            ProcessHandle.current().pid(),
            clock.millis());
    this.serverState = new ServerState(replayWaiter::wake, clock);
  }

  /// Requests the end of the run: records in flight are committed or refused, pending records stay
  /// on disk.
  ///
  /// @param reason for the log
  public void requestStop(String reason) {
    signals.requestStop(reason);
  }

  /// Runs until drained, stopped or failed.
  ///
  /// @return how it ended
  /// @throws UnusableDirectoryException when the agent cannot use the directory
  /// @throws StorageException when the buffer cannot be opened
  public ExitCode run()
      throws UnusableDirectoryException, StorageException, IOException, InterruptedException {
    CommitListener listener = new CommitListener(replayWaiter, serverState, signals);
    try (AgentResources resources = new AgentResources(settings, identity, clock, listener)) {
      AgentResources.OpenResources opened = resources.open();
      return opened == null ? ExitCode.OWNED : serve(opened);
    }
  }

  private ExitCode serve(AgentResources.OpenResources opened)
      throws StorageException, IOException, InterruptedException {
    Buffer buffer = opened.buffer();
    Totals atStart = buffer.totals();
    Events.info(
        EventNames.BUFFER_OPENED, "pending", atStart.pending(), "rejected", atStart.rejected());
    RunTasks tasks = new RunTasks(opened);
    ExitCode ended = ExitCode.FATAL;
    try (Ingest ingest = opened.ingest()) {
      ended = tasks.run();
    } catch (StuckException stuck) {
      Events.severe(
          EventNames.AGENT_STALLED,
          "reason",
          stuck.getMessage(),
          "action",
          "check the disk, then start again");
      // The writer may never return, and then the buffer cannot be closed: the process has to end.
      return ExitCode.FATAL;
    } catch (StorageException failed) {
      Events.severe(
          EventNames.STORAGE_FAILED,
          failed,
          "action",
          failed instanceof StorageException.Lost
              ? "see the failure"
              : "check the disk, then start again");
    } catch (RuntimeException broken) {
      Events.severe(
          EventNames.AGENT_FAILED,
          broken,
          "action",
          "report this bug; accepted records are on disk");
      throw broken;
    }
    // Commits what still waits for the writer: the totals are final only after that.
    buffer.close();
    tasks.writeLastMetrics();
    ExitCode code = exitCode(ended, buffer);
    logStopped(code, buffer, atStart);
    return code;
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

  private static void logStopped(ExitCode code, Buffer buffer, Totals atStart) {
    Totals atEnd = buffer.totals();
    long discarded = atEnd.discarded() - atStart.discarded();
    // The number of rejected records grows by rejections and shrinks by redrives and discards.
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
  }

  /// The tasks of a run, connected to each other.
  private final class RunTasks {
    private final Path session;
    private final Ingest ingest;
    private final HealthProbe health;
    private final Replay replay;
    private final StatusReporter reporter;
    private final Lifecycle lifecycle;
    private final FileGuard guard;
    private @Nullable TextfileExporter textfile;

    RunTasks(AgentResources.OpenResources opened) {
      session = opened.session();
      guard = opened.guard();
      ingest = opened.ingest();
      Buffer buffer = opened.buffer();
      MainServer server = opened.server();
      health = new HealthProbe(server::probe, serverState, clock);
      replay = new Replay(buffer, server, serverState, clock, replayWaiter, new Random());
      reporter =
          new StatusReporter(
              identity, settings.directory(), buffer, ingest, replay, serverState, clock);
      lifecycle = new Lifecycle(buffer, ingest, serverState, clock, signals);
      ingest.acceptInto(buffer, reporter);
    }

    /// Publishes the socket, then runs all tasks until one ends.
    ExitCode run() throws StorageException, StuckException, IOException, InterruptedException {
      AgentState _ = lifecycle.turn();
      try (var scope = StructuredTaskScope.open(new FirstCompletedJoiner())) {
        scope.fork(() -> {
          ingest.run();
          return unexpectedEnd();
        });
        scope.fork(() -> {
          health.run();
          return unexpectedEnd();
        });
        scope.fork(() -> {
          replay.run();
          return unexpectedEnd();
        });
        scope.fork(() -> {
          reporter.run();
          return unexpectedEnd();
        });
        scope.fork(() -> {
          guard.run();
          return unexpectedEnd();
        });
        scope.fork(lifecycle::run);
        pruneSessions();
        startTextfile();
        settings.whenReady().run();
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

    private static AgentState unexpectedEnd() {
      throw new IllegalStateException("a loop returned, which runs until it is interrupted");
    }

    private void pruneSessions() {
      try {
        Sessions.prune(settings.directory(), session);
      } catch (IOException failed) {
        Events.warning(EventNames.SESSIONS_NOT_PRUNED, "reason", failed.toString());
      }
    }

    private void startTextfile() {
      Path collectorDirectory = settings.textfileDirectory();
      if (collectorDirectory != null) {
        textfile =
            new TextfileExporter(
                collectorDirectory, settings.directory(), () -> reporter.metrics(false));
        textfile.start();
      }
    }

    /// Writes the metrics once more, after the buffer was closed.
    void writeLastMetrics() throws InterruptedException {
      String last = reporter.lastMetrics();
      try {
        Sessions.write(session.resolve(DirectoryLayout.METRICS), last);
      } catch (IOException failed) {
        Events.warning(EventNames.METRICS_NOT_WRITTEN, "reason", failed.toString());
      }
      if (textfile != null) {
        textfile.end(last);
      }
    }
  }
}
