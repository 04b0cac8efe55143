package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.buffer.OfflineBuffer;
import com.datanadhi.echopost.buffer.RecordKeys;
import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.DirectoryLock;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Runs work on the buffer batch by batch until it is complete: through the running agent while
/// there is one, otherwise under the directory's lock, which is released at short intervals. Agents
/// may start and exit meanwhile, and other operators may run the same work, since each batch acts
/// on the buffer as it finds it.
final class BatchRun {
  /// Together with closing the file it stays below the half second that the start of an agent can
  /// wait for the lock.
  private static final Duration LOCK_HOLD = Duration.ofMillis(250);

  /// Long enough for others that wait for the lock to take it: an agent tries every 5 ms, another
  /// operator less often.
  private static final Duration LOCK_PAUSE = Duration.ofMillis(50);

  private static final Duration RETRY_INTERVAL = Duration.ofMillis(25);

  /// An agent that holds the lock without answering is starting or exiting, which takes less.
  private static final Duration STALL_TIMEOUT = Duration.ofSeconds(10);

  /// The work to do.
  interface Work {
    /// Makes the next batch available, if there is one. May block; no lock is held meanwhile.
    default void prepare() throws IOException {}

    /// Whether a batch is available. Does not block.
    boolean hasBatch();

    /// Lets the agent do the next batch.
    ///
    /// @return false if the agent exited before it answered
    boolean doWithAgent(AgentClient agent) throws StorageException;

    /// Does the next batch on the buffer itself.
    void doOffline(OfflineBuffer buffer) throws StorageException, IOException;
  }

  private final Path directory;
  private final Work work;
  private final Clock clock;
  private final Waiter waiter = new Waiter();
  private final RecordKeys keys = new RecordKeys();
  private long batches;

  private BatchRun(Path directory, Work work, Clock clock) {
    this.directory = directory;
    this.work = work;
    this.clock = clock;
  }

  /// Runs `work` to its end.
  ///
  /// @throws StorageException if the rest cannot be done; completed batches stay done
  static void run(Path directory, Work work, Clock clock)
      throws StorageException, IOException, InterruptedException {
    new BatchRun(directory, work, clock).run();
  }

  private void run() throws StorageException, IOException, InterruptedException {
    long progressNanos = clock.nanos();
    work.prepare();
    while (work.hasBatch()) {
      long before = batches;
      runWithAgent();
      work.prepare();
      if (!work.hasBatch()) {
        return;
      }
      boolean lockTaken = runUnderLock();
      work.prepare();
      if (!work.hasBatch()) {
        return;
      }
      if (batches != before) {
        progressNanos = clock.nanos();
      } else if (clock.nanos() - progressNanos > STALL_TIMEOUT.toNanos()) {
        throw new StorageException(
            "another process holds "
                + DirectoryLayout.lock(directory)
                + " and does not answer: 'echopost status' names it");
      }
      waiter.await(lockTaken ? LOCK_PAUSE : RETRY_INTERVAL);
    }
  }

  private void runWithAgent() throws StorageException, IOException, InterruptedException {
    try (AgentClient agent = connect()) {
      while (agent != null && work.hasBatch()) {
        if (!work.doWithAgent(agent)) {
          return;
        }
        batches++;
        work.prepare();
      }
    }
  }

  /// @return null if no agent answers; one that is starting or exiting may answer later, or leave
  ///   the lock to this command
  private @Nullable AgentClient connect()
      throws StorageException, IOException, InterruptedException {
    try {
      return AgentClient.connect(directory);
    } catch (NoAnswerException silent) {
      return null;
    }
  }

  /// @return false if another process holds the lock
  private boolean runUnderLock() throws StorageException, IOException, InterruptedException {
    try (DirectoryLock lock = DirectoryLock.tryTake(directory, clock)) {
      if (lock == null) {
        return false;
      }
      long deadline = clock.nanos() + LOCK_HOLD.toNanos();
      try (OfflineBuffer buffer = OfflineBuffer.open(directory, keys)) {
        while (work.hasBatch() && clock.nanos() - deadline < 0) {
          work.doOffline(buffer);
          batches++;
        }
      }
      return true;
    }
  }
}
