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
  /// @param session this run's directory for the log and the last metrics; it is missing while
  ///   there is no room for it
  /// @param buffer open; the run closes it, because the exit code depends on its last commit and a
  ///   buffer whose writer hangs cannot be closed
  /// @param ingest bound to a socket that is not published yet
  record OpenResources(
      Path session, Buffer buffer, Ingest ingest, MainServer server, FileGuard guard) {}

  /// The files and directories that a start creates beside the buffer: two of SQLite, two names of
  /// the socket, the session and its log.
  private static final int NEW_NAMES = 6;

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
    boolean hasRoom = makeRoom(workspace);
    Path session = session(hasRoom);
    Path logFile = session.resolve(DirectoryLayout.LOG);
    SessionLog opened =
        hasRoom
            ? SessionLog.open(logFile, settings.standardOut())
            : SessionLog.openWithoutFile(logFile, settings.standardOut());
    log = opened;
    ingestStarter.bind();
    logStart(workspace, taken);
    Buffer buffer = openBuffer();
    Ingest ingest = awaitIngest(buffer);
    MainServer client = settings.mainServer().get();
    server = client;
    FileGuard guard = new FileGuard(buffer, taken, opened, clock);
    return new OpenResources(session, buffer, ingest, client, guard);
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

  /// This run's directory. If it cannot be created, the log creates it when that is possible.
  private Path session(boolean hasRoom) throws IOException {
    try {
      return hasRoom
          ? Sessions.create(settings.directory(), clock.now())
          : Sessions.choose(settings.directory(), clock.now());
    } catch (FileSystemException failed) {
      return Sessions.choose(settings.directory(), clock.now());
    }
  }

  /// Makes room for new files, for a run that has something to deliver: on a file system without
  /// space or inodes, delivery is what frees some. The log of a run can wait.
  ///
  /// @return whether there is room for all of them
  private boolean makeRoom(Workspace workspace) throws IOException {
    if (!Buffer.existsIn(settings.directory())) {
      return true;
    }
    while (!workspace.hasRoomFor(NEW_NAMES)) {
      if (!Buffer.releaseReserve(settings.directory())
          && !Sessions.deleteOldest(settings.directory())) {
        return false;
      }
    }
    return true;
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
      if (failed instanceof IOException && !buffer.isDrained()) {
        // Delivery can free the space, or the inode, that the socket needs.
        return ingestStarter.unbound();
      }
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
