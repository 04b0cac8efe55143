package com.datanadhi.echopost.buffer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// The work that waits for the writer thread, in the order of arrival, and its size.
///
/// Thread-safe: any thread queues work, the writer thread takes. Work counts as waiting until
/// [#completed], so also while its commit is under way.
final class CommitQueue {
  private static final long NONE = Long.MIN_VALUE;

  private final ConcurrentLinkedQueue<WriterWork> queue = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waitingRecords = new AtomicInteger();
  private final AtomicLong waitingBytes = new AtomicLong();
  private volatile long oldestTakenNanos = NONE;
  private volatile boolean closed;

  /// Work for one transaction, each kind in the order of arrival. The lists are mutable and belong
  /// to the thread that took them.
  record Batch(List<WriterWork.Append> appends, List<WriterWork.Task<?>> tasks) {
    boolean isEmpty() {
      return appends.isEmpty() && tasks.isEmpty();
    }

    /// Whether this is a single piece of work with at most one record.
    boolean isSingle() {
      return appends.size() + tasks.size() == 1
          && (appends.isEmpty() || appends.getFirst().records().size() <= 1);
    }

    /// The time when the first append was queued; null when there is none.
    @Nullable Long oldestNanos() {
      return appends.isEmpty() ? null : (Long) appends.getFirst().queuedNanos();
    }
  }

  /// Queues work behind all that was queued before. Does not block.
  void enqueue(WriterWork work) {
    int records = work.waitingRecords();
    if (records != 0) {
      int _ = waitingRecords.addAndGet(records);
    }
    if (work.bytes() != 0) {
      long _ = waitingBytes.addAndGet(work.bytes());
    }
    boolean _ = queue.add(work);
  }

  /// Takes all that waits.
  Batch takeAll() {
    return take(Long.MAX_VALUE, Long.MAX_VALUE);
  }

  /// Takes the first of what waits: at most `maxRecords` records and `maxBytes` bytes, or one
  /// append that is larger by itself; an empty batch when nothing waits.
  Batch take(long maxRecords, long maxBytes) {
    Batch batch = new Batch(new ArrayList<>(), new ArrayList<>());
    long records = 0;
    long bytes = 0;
    for (WriterWork next = queue.peek(); next != null; next = queue.peek()) {
      records += next.records().size();
      bytes += next.bytes();
      if (!batch.isEmpty() && (records > maxRecords || bytes > maxBytes)) {
        break;
      }
      WriterWork taken = queue.poll();
      // A switch by type would be compiled at run time, for the first record of each run. `taken`
      // is null if the thread that closes the buffer has taken the rest meanwhile.
      if (taken instanceof WriterWork.Append append) {
        if (batch.appends().isEmpty()) {
          oldestTakenNanos = append.queuedNanos();
        }
        batch.appends().add(append);
      } else if (taken instanceof WriterWork.Task<?> task) {
        batch.tasks().add(task);
      }
    }
    return batch;
  }

  /// The result of `work` is known: it no longer waits.
  void completed(WriterWork work) {
    int records = work.waitingRecords();
    if (records != 0) {
      int _ = waitingRecords.addAndGet(-records);
    }
    if (work.bytes() != 0) {
      long _ = waitingBytes.addAndGet(-work.bytes());
    }
  }

  /// Ends the batch that [#take] returned.
  void batchCompleted() {
    oldestTakenNanos = NONE;
  }

  boolean isEmpty() {
    return queue.isEmpty();
  }

  int waitingRecords() {
    return waitingRecords.get();
  }

  long waitingBytes() {
    return waitingBytes.get();
  }

  /// The time when the oldest append of the current commit, or else of the next, was queued; null
  /// when none waits.
  @Nullable Long oldestWaitingNanos() {
    long taken = oldestTakenNanos;
    if (taken != NONE) {
      return taken;
    }
    return queue.peek() instanceof WriterWork.Append append ? (Long) append.queuedNanos() : null;
  }

  /// The buffer is being closed: what waits is committed, then the writer thread ends.
  void close() {
    closed = true;
  }

  boolean isClosed() {
    return closed;
  }
}
