package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.AdaptiveSpin;
import com.datanadhi.echopost.time.Clock;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/// The thread that writes: takes the waiting work, commits it, and takes care of the disk space
/// while nothing waits.
///
/// While one commit is under way the next batch gathers, so a slower disk makes larger batches. It
/// is a platform thread of its own, since a SQLite call would pin a virtual thread's carrier. With
/// nothing to do it spins for a short time ([AdaptiveSpin]), then parks. Thread-safe.
final class WriterThread {
  private final CommitQueue queue;
  private final GroupCommit commits;
  private final DiskSpaceUpkeep upkeep;
  private final ActiveWriter active;
  private final CommitProgress progress;
  private final Clock clock;
  private final AdaptiveSpin spin;
  private final AtomicBoolean parked = new AtomicBoolean();
  private final Thread thread;

  WriterThread(
      CommitQueue queue,
      GroupCommit commits,
      DiskSpaceUpkeep upkeep,
      ActiveWriter active,
      CommitProgress progress,
      Clock clock) {
    this.queue = queue;
    this.commits = commits;
    this.upkeep = upkeep;
    this.active = active;
    this.progress = progress;
    this.clock = clock;
    this.spin = new AdaptiveSpin(clock);
    this.thread = Thread.ofPlatform().name("buffer-writer").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /// Queues work and wakes the thread if it is parked. After [#close] the work completes as not
  /// committed, in the calling thread. Does not block.
  void enqueue(WriterWork work) {
    queue.enqueue(work);
    if (parked.get() && parked.compareAndSet(true, false)) {
      LockSupport.unpark(thread);
    } else if (!thread.isAlive() && queue.isClosed()) {
      commits.completeAsClosed(queue.takeAll());
    }
  }

  /// Commits what waits, then ends the thread.
  void close() throws InterruptedException {
    queue.close();
    LockSupport.unpark(thread);
    thread.join();
    // Work that was queued while the thread ended is in no commit.
    commits.completeAsClosed(queue.takeAll());
  }

  private void run() {
    try {
      while (true) {
        CommitQueue.Batch batch = queue.take(GroupCommit.MAX_RECORDS, GroupCommit.MAX_BYTES);
        if (!batch.isEmpty()) {
          spin.endWait();
          // Before the commit, which empties the batch.
          boolean isSingle = batch.isSingle();
          progress.workStarted(clock.nanos());
          commits.commit(batch);
          upkeep.limitLog();
          progress.workEnded();
          spin.beginWait(isSingle);
        } else if (queue.isClosed()) {
          return;
        } else if (!arrivesSoon()) {
          progress.workStarted(clock.nanos());
          upkeep.step();
          progress.workEnded();
          park();
        }
      }
    } catch (RuntimeException | Error broken) {
      active.fail(new StorageException("the buffer's writer thread failed: " + broken, broken));
    }
  }

  /// Spins for the next work, unless there is upkeep to do.
  private boolean arrivesSoon() {
    while (upkeep.isDone() && !queue.isClosed() && spin.shouldSpin()) {
      if (!queue.isEmpty()) {
        return true;
      }
      Thread.onSpinWait();
    }
    return false;
  }

  private void park() {
    parked.set(true);
    if (queue.isEmpty() && !queue.isClosed()) {
      long pause = upkeep.pauseNanos();
      if (pause == 0) {
        LockSupport.park(this);
      } else {
        LockSupport.parkNanos(this, pause);
      }
    }
    parked.set(false);
  }
}
