package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.DirectoryLock;
import com.datanadhi.echopost.directory.Sessions;
import com.datanadhi.echopost.directory.UnusableDirectoryException;
import com.datanadhi.echopost.directory.Workspace;
import com.datanadhi.echopost.ingest.Ingest;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.logging.SessionLog;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.upstream.MainServer;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The resources of a run: [#open] opens them in order, [#close] closes what was opened, in reverse
/// order.
///
///     ingest (started by the constructor) · directory lock · session · session log · buffer · main server
///
/// Used by one thread.
final class AgentResources implements AutoCloseable {
  /// The resources that [#open] opened.
  ///
  /// @param session this run's directory for the log and the last metrics
  /// @param buffer open; the run closes it, because the exit code depends on its last commit and a
  ///   buffer whose writer hangs cannot be closed
  /// @param ingest bound to a socket that is not published yet
  record OpenResources(Path session, Buffer buffer, Ingest ingest, MainServer server) {}

  private final AgentSettings settings;
  private final AgentIdentity identity;
  private final Clock clock;
  private final CommitListener listener;
  private final IngestStarter ingestStarter;
  private @Nullable DirectoryLock lock;
  private @Nullable SessionLog log;
  private @Nullable MainServer server;

  /// Starts creating ingest, which takes as long as all other steps together.
  AgentResources(
      AgentSettings settings, AgentIdentity identity, Clock clock, CommitListener listener) {
    this.settings = settings;
    this.identity = identity;
    this.clock = clock;
    this.listener = listener;
    this.ingestStarter =
        new IngestStarter(() -> new Ingest(settings.directory(), settings.socketMode(), clock));
  }

  /// Opens everything. Call [#close] also after an exception.
  ///
  /// @return null when another agent owns the directory
  /// @throws UnusableDirectoryException when the agent cannot use the directory
  /// @throws StorageException when the buffer cannot be opened
  @Nullable OpenResources open()
      throws UnusableDirectoryException, StorageException, IOException, InterruptedException {
    Workspace workspace = Workspace.prepare(settings.directory());
    DirectoryLock taken = takeLock(workspace);
    if (taken == null) {
      return null;
    }
    lock = taken;
    workspace.removeDeadSocket();
    // Before the socket: on a full disk this frees space for both.
    Path session = createSession();
    ingestStarter.bind();
    log = SessionLog.open(session.resolve(DirectoryLayout.LOG), settings.standardOut());
    logStart(workspace, taken);
    Buffer buffer = openBuffer();
    Ingest ingest = awaitIngest(buffer);
    MainServer client = settings.mainServer().get();
    server = client;
    return new OpenResources(session, buffer, ingest, client);
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
              + "): fix its permissions or choose another directory with -datanadhi");
    }
  }

  private Path createSession() throws IOException {
    while (true) {
      try {
        return Sessions.create(settings.directory(), clock.now());
      } catch (FileSystemException failed) {
        // On a full disk, only a run with space for its log can deliver what is pending.
        if (!Buffer.releaseReserve(settings.directory())) {
          throw failed;
        }
      }
    }
  }

  private void logStart(Workspace workspace, DirectoryLock taken) throws IOException {
    Events.info(
        EventNames.AGENT_STARTED,
        "version",
        identity.version(),
        "pid",
        identity.pid(),
        "directory",
        settings.directory().toAbsolutePath().normalize(),
        "server",
        identity.serverUrl());
    if (settings.previousCrashCause() != null) {
      Events.warning(EventNames.RESTARTED_AFTER_CRASH, "died_of", settings.previousCrashCause());
    }
    if (taken.ownerWriteFailure() != null) {
      Events.warning(
          EventNames.LOCK_OWNER_NOT_WRITTEN,
          "reason",
          taken.ownerWriteFailure().toString(),
          "action",
          "check the disk; the lock is held, but its file does not contain the process id");
    }
    String others = workspace.writableBy();
    if (others != null) {
      Events.warning(
          EventNames.DIRECTORY_WRITABLE_BY_OTHERS,
          "writable_by",
          others,
          "risk",
          "they can replace the socket and receive the records sent to it, or block the agent",
          "action",
          "chmod go-w " + settings.directory().toAbsolutePath().normalize());
    }
  }

  private Buffer openBuffer() throws StorageException {
    try {
      return Buffer.open(settings.directory(), clock, listener);
    } catch (StorageException | RuntimeException | LinkageError failed) {
      StorageException storage =
          failed instanceof StorageException known
              ? known
              : new StorageException("the buffer cannot be opened: " + failed, failed);
      Events.severe(EventNames.STORAGE_UNUSABLE, "reason", storage.getMessage());
      throw storage;
    }
  }

  private Ingest awaitIngest(Buffer buffer)
      throws StorageException, IOException, InterruptedException {
    try {
      return ingestStarter.await();
    } catch (IOException | RuntimeException | LinkageError failed) {
      Events.severe(EventNames.SOCKET_UNUSABLE, "reason", failed.toString());
      buffer.close();
      throw failed;
    }
  }

  /// Closes all but the buffer. Ingest ends while the lock is held: after that the directory can be
  /// another agent's.
  @Override
  public void close() throws IOException, InterruptedException {
    DirectoryLock openLock = lock;
    SessionLog openLog = log;
    MainServer openServer = server;
    try (openLock;
        ingestStarter;
        openLog;
        openServer) {
      // Only closes, in reverse order.
    }
  }
}
