package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.directory.DirectoryLock;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.logging.SessionLog;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import java.io.IOException;
import java.time.Duration;

/// Looks ten times a second whether the names of the agent's open files still lead to them, because
/// other processes can delete or replace them: a cleaner of temporary files, `rm`, `git clean`. The
/// socket's name is ingest's.
///
/// Each turn costs a few system calls. Used by one thread.
final class FileGuard {
  private static final Duration TURN = Duration.ofMillis(100);

  /// A command holds the lock for a shorter time.
  private static final Duration LOCK_LOSS = Duration.ofMillis(500);

  private final Buffer buffer;
  private final DirectoryLock lock;
  private final SessionLog log;
  private final Clock clock;
  private final Waiter waiter = new Waiter();
  private boolean hasLock = true;
  private long lockLostNanos;

  FileGuard(Buffer buffer, DirectoryLock lock, SessionLog log, Clock clock) {
    this.buffer = buffer;
    this.lock = lock;
    this.log = log;
    this.clock = clock;
  }

  /// Runs until interrupted.
  ///
  /// @throws StorageException when another agent has taken the directory
  void run() throws InterruptedException, StorageException {
    while (true) {
      turn();
      waiter.await(TURN);
    }
  }

  /// Looks once.
  void turn() throws StorageException {
    keepLock();
    // The names can belong to the process that has the lock.
    if (hasLock) {
      buffer.checkNames();
    }
    log.keepFile();
  }

  private void keepLock() throws StorageException {
    try {
      boolean hadLock = hasLock;
      hasLock = lock.keep();
      if (hasLock) {
        return;
      }
      if (hadLock) {
        lockLostNanos = clock.nanos();
      }
    } catch (IOException noDirectory) {
      // The buffer creates the directory again, or reports why it cannot; then there is a lock file
      // again too.
      hasLock = true;
      return;
    }
    if (clock.nanos() - lockLostNanos >= LOCK_LOSS.toNanos()) {
      buffer.giveUpNames();
      Events.severe(
          EventNames.LOCK_LOST,
          "reason",
          "agent.lock was deleted or replaced, and another process has taken its lock",
          "action",
          "find out what changes files in the directory; the other agent continues");
      throw new StorageException.Lost("another agent has taken the directory");
    }
  }
}
