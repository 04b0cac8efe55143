package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.buffer.OfflineBuffer;
import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.DirectoryLock;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// Carries work on the buffer through to its end, slice by slice: by the living agent, as long as
/// there is one, else under the directory's lock, which is given up every so often. An agent may
/// come or go meanwhile, and another operator do the same: each slice takes what is there.
final class BatchRun {
  /// With the closing of the file it makes less than the half second that a spawned agent can
  /// spare.
  private static final Duration HOLD = Duration.ofMillis(250);

  /// Long enough for whoever waits for the lock to take it: an agent looks every 5 ms, and another
  /// operator, who can wait better, less often.
  private static final Duration GIVE_WAY = Duration.ofMillis(50);

  private static final Duration LOOK_AGAIN = Duration.ofMillis(25);

  /// An agent that has the lock and does not answer is starting or leaving, which takes it less.
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /// What there is to do.
  interface Work {
    /// Sees that there are slices at hand, if there are any left. May take its time: nothing is
    /// held.
    default void prepare() throws IOException {}

    /// Whether there is a slice at hand. Does not block.
    boolean hasSlice();

    /// Has the agent do the next slice.
    ///
    /// @return false when it went away before it answered
    boolean byAgent(AgentClient agent) throws StorageException;

    /// Does the next slice.
    void byMyself(OfflineBuffer buffer) throws StorageException, IOException;
  }

  private final Path directory;
  private final Work work;
  private final Clock clock;
  private final Waiter waiter = new Waiter();
  private long slices;

  private BatchRun(Path directory, Work work, Clock clock) {
    this.directory = directory;
    this.work = work;
    this.clock = clock;
  }

  /// Does it all.
  ///
  /// @throws StorageException when the rest cannot be done; what is done stays done
  static void run(Path directory, Work work, Clock clock)
      throws StorageException, IOException, InterruptedException {
    new BatchRun(directory, work, clock).run();
  }

  private void run() throws StorageException, IOException, InterruptedException {
    long sinceNanos = clock.nanos();
    work.prepare();
    while (work.hasSlice()) {
      long before = slices;
      if (Files.exists(DirectoryLayout.socket(directory))) {
        askAgent();
        work.prepare();
      }
      if (!work.hasSlice()) {
        return;
      }
      boolean held = doUnderLock();
      work.prepare();
      if (!work.hasSlice()) {
        return;
      }
      if (slices != before) {
        sinceNanos = clock.nanos();
      } else if (clock.nanos() - sinceNanos > PATIENCE.toNanos()) {
        throw new StorageException(
            "another process holds " + DirectoryLayout.lock(directory) + " and does not answer");
      }
      waiter.await(held ? GIVE_WAY : LOOK_AGAIN);
    }
  }

  private void askAgent() throws StorageException, IOException, InterruptedException {
    try (AgentClient agent = AgentClient.connect(DirectoryLayout.socket(directory))) {
      while (agent != null && work.hasSlice()) {
        if (!work.byAgent(agent)) {
          return;
        }
        slices++;
        work.prepare();
      }
    }
  }

  /// @return false when somebody else holds the lock
  private boolean doUnderLock() throws StorageException, IOException, InterruptedException {
    try (DirectoryLock lock = DirectoryLock.tryTake(directory, clock)) {
      if (lock == null) {
        return false;
      }
      long deadline = clock.nanos() + HOLD.toNanos();
      try (OfflineBuffer buffer = OfflineBuffer.open(directory)) {
        while (work.hasSlice() && clock.nanos() - deadline < 0) {
          work.byMyself(buffer);
          slices++;
        }
      }
      return true;
    }
  }
}
