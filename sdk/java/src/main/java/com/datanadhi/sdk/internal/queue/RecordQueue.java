package com.datanadhi.sdk.internal.queue;

import com.datanadhi.sdk.SubmitResult;
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
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The records in memory that wait for delivery, in the order of {@code submit}. {@link #offer}
 * takes no lock, so it never waits for the threads that take records. The bytes of a record that
 * was taken count until it is settled. A record that is given back returns to its position: the
 * queue can exceed its greatest number of records by those that were taken. Thread-safe.
 */
public final class RecordQueue {
  /** Added to the depth when the queue is closed, so that offer finds no space. */
  private static final int CLOSED = 1 << 30;

  private final QueueLimits limits;
  private final AtomicInteger depth = new AtomicInteger();
  private final AtomicLong heldBytes = new AtomicLong();
  private final AtomicLong takenBytes = new AtomicLong();

  /** The size of a record that was refused and for which there still is no space; 0 if none. */
  private volatile long missingBytes;

  private final ConcurrentLinkedQueue<OutgoingRecord> arrivals = new ConcurrentLinkedQueue<>();
  private final WakeUpSignal notEmpty = new WakeUpSignal();
  private final WakeUpSignal batchReady = new WakeUpSignal();
  private final Threshold nearlyFull;
  private final Threshold full;
  private final SpaceSignal space = new SpaceSignal();
  private final Clock clock;

  private final ReentrantLock takeLock = new ReentrantLock();
  private final PriorityQueue<OutgoingRecord> givenBack =
      new PriorityQueue<>(Comparator.comparingLong(OutgoingRecord::position));
  private long nextPosition;
  private volatile boolean discarded;

  /** Makes an empty queue. */
  public RecordQueue(QueueLimits limits, Clock clock) {
    this.limits = limits;
    this.clock = clock;
    this.nearlyFull = new Threshold(0.9);
    this.full = new Threshold(0.95);
  }

  /**
   * Appends a record, unless the queue is full or closed. A record that is larger than the queue is
   * accepted while that holds no other. Never waits.
   */
  public SubmitResult offer(OutgoingRecord record) {
    if (isClosed()) {
      return SubmitResult.CLOSED;
    }
    if (!reserveBytes(record.heapBytes())) {
      return SubmitResult.QUEUE_FULL;
    }
    int before;
    do {
      before = depth.get();
      if (before >= limits.records()) {
        heldBytes.addAndGet(-record.heapBytes());
        return before >= CLOSED ? SubmitResult.CLOSED : SubmitResult.QUEUE_FULL;
      }
    } while (!depth.compareAndSet(before, before + 1));
    record.setOfferedAt(clock.nanos());
    arrivals.add(record);
    signal();
    return SubmitResult.ACCEPTED;
  }

  private boolean reserveBytes(long bytes) {
    long before;
    do {
      before = heldBytes.get();
      if (before > 0 && before + bytes > limits.bytes()) {
        missingBytes = bytes;
        nearlyFull.signal();
        full.signal();
        return false;
      }
    } while (!heldBytes.compareAndSet(before, before + bytes));
    return true;
  }

  /** As {@link #offer}, but waits for space for at most {@code longest}. */
  public SubmitResult offer(OutgoingRecord record, Duration longest) throws InterruptedException {
    long end = clock.nanos() + longest.toNanos();
    SubmitResult result = offer(record);
    while (result == SubmitResult.QUEUE_FULL && clock.nanos() - end < 0) {
      space.await(() -> hasSpaceFor(record) || isClosed(), end - clock.nanos());
      result = offer(record);
    }
    return result;
  }

  private boolean hasSpaceFor(OutgoingRecord record) {
    long held = heldBytes.get();
    return depth() < limits.records() && (held == 0 || held + record.heapBytes() <= limits.bytes());
  }

  /**
   * Removes the first records, at most {@code maxRecords}, and at most {@code maxBytes} of payloads
   * unless the first one has more; returns an empty list if the queue is empty. The caller settles
   * each of them or gives it back.
   */
  public List<OutgoingRecord> take(int maxRecords, long maxBytes) {
    int[] records = {0};
    long[] bytes = {0};
    return takeWhile(next -> {
      bytes[0] += next.bytes();
      return records[0]++ == 0 || (records[0] <= maxRecords && bytes[0] <= maxBytes);
    });
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
    takenBytes.addAndGet(heapBytes(taken));
    depth.addAndGet(-taken.size());
    space.wake();
    if (depth() > 0) {
      // Records that arrived before this thread ran have woken no other.
      notEmpty.wake();
    }
    return taken;
  }

  private static long heapBytes(Collection<OutgoingRecord> records) {
    return records.stream().mapToLong(OutgoingRecord::heapBytes).sum();
  }

  /** Frees the memory of records that were taken and have an outcome. */
  public void settle(Collection<OutgoingRecord> records) {
    long bytes = heapBytes(records);
    takenBytes.addAndGet(-bytes);
    long held = heldBytes.addAndGet(-bytes);
    if (held == 0 || held + missingBytes <= limits.bytes()) {
      missingBytes = 0;
    }
    space.wake();
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
      batchReady.await(() -> isBatchComplete() || isClosed(), longest.toNanos() - waited);
    }
  }

  /** Half of the queue is enough: else it would be full before a batch is complete. */
  private boolean isBatchComplete() {
    return depth() >= Math.min(limits.batchRecords(), limits.records() / 2)
        || heldBytes.get() - takenBytes.get() >= Math.min(limits.batchBytes(), limits.bytes() / 2);
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
    takenBytes.addAndGet(-heapBytes(records));
    depth.addAndGet(records.size());
    takeLock.lock();
    try {
      givenBack.addAll(records);
    } finally {
      takeLock.unlock();
    }
    signal();
  }

  private void signal() {
    notEmpty.wake();
    if (isBatchComplete()) {
      batchReady.wake();
    }
    nearlyFull.signal();
    full.signal();
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
      space.wake();
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

  /** The bytes of the records that have no outcome, those that were taken included. */
  public long heldBytes() {
    return discarded ? 0 : heldBytes.get();
  }

  /** At what {@link #offer} refuses. */
  public QueueLimits limits() {
    return limits;
  }

  /** Whether the records or their bytes are at least this share of a limit. */
  public boolean isFilledTo(double share) {
    return depth() >= limits.records() * share || heldBytes() >= limits.bytes() * share;
  }

  /**
   * A share of a limit that a thread can wait for; at most one thread at a time. It is reached too
   * when there is no space for a record that was offered, and never while no record waits.
   */
  public final class Threshold {
    private final WakeUpSignal reached = new WakeUpSignal();
    private final double share;

    private Threshold(double share) {
      this.share = share;
    }

    private void signal() {
      if (isReached()) {
        reached.wake();
      }
    }

    /** Whether the threshold is reached now. */
    public boolean isReached() {
      return depth() > 0 && (missingBytes > 0 || isFilledTo(share));
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

  /** Wakes threads of the application that wait for space. Without such, it takes no lock. */
  private static final class SpaceSignal {
    private final AtomicInteger waiting = new AtomicInteger();

    void wake() {
      // The order of count and condition is that of the other signal.
      if (waiting.get() > 0) {
        synchronized (this) {
          notifyAll();
        }
      }
    }

    void await(BooleanSupplier condition, long nanos) throws InterruptedException {
      waiting.incrementAndGet();
      try {
        synchronized (this) {
          if (!condition.getAsBoolean()) {
            TimeUnit.NANOSECONDS.timedWait(this, Math.max(1, nanos));
          }
        }
      } finally {
        waiting.decrementAndGet();
      }
    }
  }
}
