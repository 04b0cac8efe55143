package com.datanadhi.sdk.internal.queue;

import com.datanadhi.sdk.internal.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The records in memory that wait for delivery, in the order of {@code submit}. {@link #offer}
 * takes no lock, so it never waits for the threads that take records. A record that is given back
 * returns to its position, even if the queue is full: the queue can exceed its capacity by the
 * number of records that were taken. Thread-safe.
 */
public final class RecordQueue {
  /** Added to the depth when the queue is closed, so that offer finds no space. */
  private static final int CLOSED = 1 << 30;

  private final int capacity;
  private final AtomicInteger depth = new AtomicInteger();
  private final ConcurrentLinkedQueue<OutgoingRecord> arrivals = new ConcurrentLinkedQueue<>();
  private final WakeUpSignal notEmpty = new WakeUpSignal();
  private final WakeUpSignal batchReady = new WakeUpSignal();
  private final Threshold nearlyFull;
  private final Threshold full;
  private final int batch;
  private final Clock clock;

  private final ReentrantLock takeLock = new ReentrantLock();
  private final PriorityQueue<OutgoingRecord> givenBack =
      new PriorityQueue<>(Comparator.comparingLong(OutgoingRecord::position));
  private long nextPosition;
  private volatile boolean discarded;

  /**
   * Makes a queue for {@code capacity} records.
   *
   * @param batch the number of records for which {@link #awaitBatch} waits, if that is less than
   *     half of the capacity
   */
  public RecordQueue(int capacity, int batch, Clock clock) {
    this.capacity = capacity;
    this.batch = Math.min(batch, capacity / 2);
    this.clock = clock;
    this.nearlyFull = new Threshold(0.9);
    this.full = new Threshold(0.95);
  }

  /** Appends a record; returns false if the queue is full or closed. Never waits. */
  public boolean offer(OutgoingRecord record) {
    int before;
    do {
      before = depth.get();
      if (before >= capacity) {
        return false;
      }
    } while (!depth.compareAndSet(before, before + 1));
    record.setOfferedAt(clock.nanos());
    arrivals.add(record);
    signal(before + 1);
    return true;
  }

  /**
   * Removes the first records, at most {@code max}; returns an empty list if the queue is empty.
   * The caller delivers them or gives them back.
   */
  public List<OutgoingRecord> take(int max) {
    int[] left = {max};
    return takeWhile(next -> left[0]-- > 0);
  }

  /**
   * As {@link #take}, with the first records that {@code fits} accepts, up to the first that it
   * does not.
   *
   * @param fits called once per record, in order, while the queue is locked
   */
  public List<OutgoingRecord> takeWhile(Predicate<OutgoingRecord> fits) {
    List<OutgoingRecord> taken = new ArrayList<>();
    takeLock.lock();
    try {
      OutgoingRecord next = first();
      while (next != null && fits.test(next)) {
        taken.add(next);
        removeFirst(next);
        next = first();
      }
    } finally {
      takeLock.unlock();
    }
    depth.addAndGet(-taken.size());
    return taken;
  }

  private @Nullable OutgoingRecord first() {
    OutgoingRecord first = givenBack.peek();
    return first == null ? arrivals.peek() : first;
  }

  private void removeFirst(OutgoingRecord first) {
    if (givenBack.peek() == first) {
      givenBack.remove();
    } else {
      arrivals.remove();
      first.setPosition(nextPosition++);
    }
  }

  /**
   * Waits until a batch is complete, the first record has waited for {@code longest} since it was
   * offered, or the queue is closed. Returns at once if the queue is empty.
   */
  public void awaitBatch(Duration longest) throws InterruptedException {
    long waited = nanosSinceFirstWasOffered();
    if (waited >= 0 && waited < longest.toNanos()) {
      batchReady.await(() -> depth() >= batch || isClosed(), longest.toNanos() - waited);
    }
  }

  /** The time since the first record was offered; -1 if there is none. */
  private long nanosSinceFirstWasOffered() {
    takeLock.lock();
    try {
      OutgoingRecord first = first();
      return first == null ? -1 : Math.max(0, clock.nanos() - first.offeredAt());
    } finally {
      takeLock.unlock();
    }
  }

  /** Returns records that were taken to their positions; after {@link #discard} forgets them. */
  public void giveBack(Collection<OutgoingRecord> records) {
    if (records.isEmpty() || discarded) {
      return;
    }
    int now = depth.addAndGet(records.size());
    takeLock.lock();
    try {
      givenBack.addAll(records);
    } finally {
      takeLock.unlock();
    }
    signal(now);
  }

  private void signal(int depthNow) {
    notEmpty.wake();
    if (depthNow >= batch) {
      batchReady.wake();
    }
    nearlyFull.signal(depthNow);
    full.signal(depthNow);
  }

  /** Waits until the queue is not empty, for at most {@code millis}. */
  public void await(long millis) throws InterruptedException {
    notEmpty.await(() -> depth() > 0, TimeUnit.MILLISECONDS.toNanos(millis));
  }

  /** The threshold at 90 % of the capacity. */
  public Threshold nearlyFull() {
    return nearlyFull;
  }

  /** The threshold at 95 % of the capacity: there may be no space for the next burst. */
  public Threshold full() {
    return full;
  }

  /** From now on {@link #offer} refuses records; those in the queue can still be taken. */
  public void close() {
    if (depth.getAndUpdate(d -> d >= CLOSED ? d : d + CLOSED) < CLOSED) {
      notEmpty.wake();
      batchReady.wake();
    }
  }

  /** Closes the queue and forgets its records: from now on it is empty. */
  public void discard() {
    close();
    discarded = true;
    takeLock.lock();
    try {
      givenBack.clear();
      arrivals.clear();
    } finally {
      takeLock.unlock();
    }
  }

  /** Whether {@link #close} was called. */
  public boolean isClosed() {
    return depth.get() >= CLOSED;
  }

  /** The number of records in the queue. */
  public int depth() {
    return discarded ? 0 : depth.get() & (CLOSED - 1);
  }

  /** The number of records at which {@link #offer} refuses. */
  public int capacity() {
    return capacity;
  }

  /** Whether the depth is at least this share of the capacity. */
  public boolean isFilledTo(double share) {
    return depth() >= capacity * share;
  }

  /** A depth that a thread can wait for; at most one thread at a time. */
  public final class Threshold {
    private final WakeUpSignal reached = new WakeUpSignal();
    private final double share;

    private Threshold(double share) {
      this.share = share;
    }

    private void signal(int depthNow) {
      if (depthNow >= capacity * share) {
        reached.wake();
      }
    }

    /** Whether the depth is at or above the threshold now. */
    public boolean isReached() {
      return isFilledTo(share);
    }

    /** Waits until the threshold is reached, for at most {@code millis}. */
    public void await(long millis) throws InterruptedException {
      reached.await(this::isReached, TimeUnit.MILLISECONDS.toNanos(millis));
    }
  }

  /** Wakes waiting threads without a lock. A wake-up that comes before the wait is not lost. */
  private static final class WakeUpSignal {
    private final Semaphore wakeUps = new Semaphore(0);
    private final AtomicInteger waiting = new AtomicInteger();

    void wake() {
      // A waiting thread counts itself first and then checks the condition. The waking thread
      // changes the condition first and then reads the count: so one of them sees the other.
      if (waiting.get() > 0 && wakeUps.availablePermits() == 0) {
        wakeUps.release();
      }
    }

    void await(BooleanSupplier condition, long nanos) throws InterruptedException {
      waiting.incrementAndGet();
      try {
        if (!condition.getAsBoolean()) {
          boolean unused = wakeUps.tryAcquire(nanos, TimeUnit.NANOSECONDS);
        }
      } finally {
        waiting.decrementAndGet();
      }
    }
  }
}
