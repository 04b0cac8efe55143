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
 * The records that wait, in the order of {@code submit}. Taking none of its locks, {@link #offer}
 * never waits for those who take. What is given back takes the place it had; it always fits, so the
 * queue can hold as many more than its capacity as are in hand.
 */
public final class RecordQueue {
  /** Added to the depth when no more is taken: then there is no room for anybody. */
  private static final int CLOSED = 1 << 30;

  private final int capacity;
  private final AtomicInteger depth = new AtomicInteger();
  private final ConcurrentLinkedQueue<OutgoingRecord> arrivals = new ConcurrentLinkedQueue<>();
  private final WakeUpSignal filled = new WakeUpSignal();
  private final Threshold nearlyFull = new Threshold(0.9);
  private final Threshold full = new Threshold(0.95);

  private final ReentrantLock takers = new ReentrantLock();
  private final PriorityQueue<OutgoingRecord> givenBack =
      new PriorityQueue<>(Comparator.comparingLong(OutgoingRecord::place));
  private long nextPlace;

  /** Holds {@code capacity} records. */
  public RecordQueue(int capacity) {
    this.capacity = capacity;
  }

  /** Takes a record in, at the end; false when there is no room, or it is closed. Never waits. */
  public boolean offer(OutgoingRecord entry) {
    int before;
    do {
      before = depth.get();
      if (before >= capacity) {
        return false;
      }
    } while (!depth.compareAndSet(before, before + 1));
    arrivals.add(entry);
    ring(before + 1);
    return true;
  }

  /** The first records, at most {@code most}; none when none wait. They are the taker's now. */
  public List<OutgoingRecord> take(int most) {
    List<OutgoingRecord> taken = new ArrayList<>(Math.min(most, 128));
    takers.lock();
    try {
      while (taken.size() < most) {
        OutgoingRecord first = givenBack.poll();
        if (first == null) {
          first = arrivals.poll();
          if (first == null) {
            break;
          }
          first.place(nextPlace++);
        }
        taken.add(first);
      }
    } finally {
      takers.unlock();
    }
    depth.addAndGet(-taken.size());
    return taken;
  }

  /** Puts records that were taken back to their places. */
  public void giveBack(Collection<OutgoingRecord> entries) {
    if (entries.isEmpty()) {
      return;
    }
    int now = depth.addAndGet(entries.size());
    takers.lock();
    try {
      givenBack.addAll(entries);
    } finally {
      takers.unlock();
    }
    ring(now);
  }

  private void ring(int now) {
    filled.ring();
    nearlyFull.ring(now);
    full.ring(now);
  }

  /** Returns once something waits, or after {@code millis}. */
  public void await(long millis) throws InterruptedException {
    filled.await(() -> depth() > 0, millis);
  }

  /** Nine tenths of it are taken. */
  public Threshold nearlyFull() {
    return nearlyFull;
  }

  /** So full that the next burst does not fit. */
  public Threshold full() {
    return full;
  }

  /** From now on nothing is taken in; what waits can still be taken out. */
  public void close() {
    if (depth.getAndUpdate(d -> d >= CLOSED ? d : d + CLOSED) < CLOSED) {
      filled.ring();
    }
  }

  /** Whether it was closed. */
  public boolean isClosed() {
    return depth.get() >= CLOSED;
  }

  /** How many records wait. */
  public int depth() {
    return depth.get() & (CLOSED - 1);
  }

  /** How many may wait. */
  public int capacity() {
    return capacity;
  }

  /** Whether at least this share of its capacity is taken. */
  public boolean isFilledTo(double share) {
    return depth() >= capacity * share;
  }

  /** A depth that somebody waits for; one thread at a time. */
  public final class Threshold {
    private final WakeUpSignal reached = new WakeUpSignal();
    private final double share;

    private Threshold(double share) {
      this.share = share;
    }

    private void ring(int now) {
      if (now >= capacity * share) {
        reached.ring();
      }
    }

    /** Whether it is reached now. */
    public boolean isReached() {
      return isFilledTo(share);
    }

    /** Returns once it is reached, or after {@code millis}. */
    public void await(long millis) throws InterruptedException {
      reached.await(this::isReached, millis);
    }
  }

  /** Wakes those who wait, without waiting for anybody. */
  private static final class WakeUpSignal {
    private final Semaphore rung = new Semaphore(0);
    private final AtomicInteger sleepers = new AtomicInteger();

    void ring() {
      // Whoever goes to sleep counts himself first and looks for work then: one of us sees the
      // other.
      if (sleepers.get() > 0 && rung.availablePermits() == 0) {
        rung.release();
      }
    }

    void await(BooleanSupplier work, long millis) throws InterruptedException {
      sleepers.incrementAndGet();
      try {
        if (!work.getAsBoolean()) {
          boolean unused = rung.tryAcquire(millis, TimeUnit.MILLISECONDS);
        }
      } finally {
        sleepers.decrementAndGet();
      }
    }
  }
}
