package com.datanadhi.sdk.internal.queue;

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
  private final Threshold nearlyFull = new Threshold(0.9);
  private final Threshold full = new Threshold(0.95);

  private final ReentrantLock takeLock = new ReentrantLock();
  private final PriorityQueue<OutgoingRecord> givenBack =
      new PriorityQueue<>(Comparator.comparingLong(OutgoingRecord::position));
  private long nextPosition;

  /** Makes a queue for {@code capacity} records. */
  public RecordQueue(int capacity) {
    this.capacity = capacity;
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
    arrivals.add(record);
    signal(before + 1);
    return true;
  }

  /**
   * Removes the first records, at most {@code max}; returns an empty list if the queue is empty.
   * The caller delivers them or gives them back.
   */
  public List<OutgoingRecord> take(int max) {
    List<OutgoingRecord> taken = new ArrayList<>(Math.min(max, 128));
    takeLock.lock();
    try {
      while (taken.size() < max) {
        OutgoingRecord first = givenBack.poll();
        if (first == null) {
          first = arrivals.poll();
          if (first == null) {
            break;
          }
          first.setPosition(nextPosition++);
        }
        taken.add(first);
      }
    } finally {
      takeLock.unlock();
    }
    depth.addAndGet(-taken.size());
    return taken;
  }

  /** Returns records that were taken to their positions. */
  public void giveBack(Collection<OutgoingRecord> records) {
    if (records.isEmpty()) {
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
    nearlyFull.signal(depthNow);
    full.signal(depthNow);
  }

  /** Waits until the queue is not empty, for at most {@code millis}. */
  public void await(long millis) throws InterruptedException {
    notEmpty.await(() -> depth() > 0, millis);
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
    }
  }

  /** Whether {@link #close} was called. */
  public boolean isClosed() {
    return depth.get() >= CLOSED;
  }

  /** The number of records in the queue. */
  public int depth() {
    return depth.get() & (CLOSED - 1);
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
      reached.await(this::isReached, millis);
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

    void await(BooleanSupplier condition, long millis) throws InterruptedException {
      waiting.incrementAndGet();
      try {
        if (!condition.getAsBoolean()) {
          boolean unused = wakeUps.tryAcquire(millis, TimeUnit.MILLISECONDS);
        }
      } finally {
        waiting.decrementAndGet();
      }
    }
  }
}
