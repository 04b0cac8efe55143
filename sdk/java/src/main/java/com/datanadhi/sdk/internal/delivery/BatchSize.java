package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.time.Clock;
import java.time.Duration;

/**
 * How many records the next batch to the main server may have. The number grows while the server
 * answers within a second, and shrinks when it takes longer or finds a batch too large.
 * Thread-safe.
 */
final class BatchSize {
  /** A server that takes longer for a batch gets a smaller one. */
  private static final Duration SLOW = Duration.ofSeconds(1);

  /** How long a bound that the server has shown applies. */
  private static final Duration MEMORY = Duration.ofMinutes(1);

  private static final int MAX_UNREADABLE = 3;

  private final int max;
  private final Clock clock;
  private int size;
  private int bound;
  private long boundSince;
  private int unreadableInARow;

  /** Begins with {@code max}, which is never exceeded. */
  BatchSize(int max, Clock clock) {
    this.max = max;
    this.clock = clock;
    this.size = max;
    this.bound = max;
    this.boundSince = clock.nanos();
  }

  /** The most records of the next request; 1 means one by one. */
  synchronized int next() {
    if (bound < max && clock.nanos() - boundSince > MEMORY.toNanos()) {
      bound = max;
    }
    return Math.min(size, bound);
  }

  /** The server has decided about a batch, which took it this long. */
  synchronized void answered(Duration took) {
    unreadableInARow = 0;
    size = took.compareTo(SLOW) <= 0 ? Math.min(max, next() * 2) : half(next());
  }

  /** The server has not answered a batch of {@code records} at all. */
  synchronized void notAnswered(int records) {
    size = half(records);
  }

  /** A batch of {@code records} was too large for the server. */
  synchronized void tooLarge(int records) {
    limit(half(records));
  }

  /**
   * The server's answer to a batch was unreadable: after three in a row, records are sent one by
   * one for a minute.
   *
   * @return whether records are sent one by one from now on
   */
  synchronized boolean unreadable() {
    unreadableInARow++;
    if (unreadableInARow < MAX_UNREADABLE) {
      return false;
    }
    unreadableInARow = 0;
    limit(1);
    return true;
  }

  private void limit(int records) {
    bound = records;
    boundSince = clock.nanos();
  }

  private static int half(int records) {
    return Math.max(1, records / 2);
  }
}
