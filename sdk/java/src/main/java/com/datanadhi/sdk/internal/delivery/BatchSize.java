package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.time.Clock;
import java.time.Duration;

/**
 * How many records the next request to a main server that offers batches may have, by the answers
 * before. A batch that was too large, took more than a second or was not answered is halved. The
 * number stays so for 16 full requests that are answered within a second, so that most requests to
 * a server with a limit succeed, and then doubles with each. Thread-safe.
 */
final class BatchSize {
  /** A server that takes longer for a batch gets a smaller one. */
  private static final Duration SLOW = Duration.ofSeconds(1);

  /** How long records are sent one by one if the server's answers to batches are unreadable. */
  private static final Duration SUSPENSION = Duration.ofMinutes(1);

  private static final int MAX_UNREADABLE = 3;
  private static final int GOOD_AT_BOUND = 16;

  private final int max;
  private final Clock clock;
  private int size;

  /** The size exceeds it only after some good requests of this size. */
  private int bound;

  private int goodAtBound;
  private int unreadableInARow;
  private boolean suspended;
  private long suspendedSince;

  /** Begins with {@code max}, which is never exceeded. */
  BatchSize(int max, Clock clock) {
    this.max = max;
    this.clock = clock;
    this.size = max;
    this.bound = max;
  }

  /** The most records of the next request; 1 means one by one. */
  synchronized int next() {
    if (suspended && clock.nanos() - suspendedSince > SUSPENSION.toNanos()) {
      suspended = false;
    }
    return suspended ? 1 : size;
  }

  /** The server has decided about {@code records}, which took it this long. */
  synchronized void answered(int records, Duration took) {
    if (suspended || (records == 1 && size > 1)) {
      // Not a batch.
      return;
    }
    unreadableInARow = 0;
    if (took.compareTo(SLOW) > 0) {
      limit(records);
    } else if (records >= size) {
      grow();
    }
  }

  private void grow() {
    if (size == bound && ++goodAtBound >= GOOD_AT_BOUND) {
      bound = max;
    }
    size = Math.min(2 * size, bound);
  }

  /** A batch of {@code records} was too large for the server. */
  synchronized void tooLarge(int records) {
    unreadableInARow = 0;
    limit(records);
  }

  private void limit(int records) {
    size = Math.min(size, Math.max(1, records / 2));
    bound = size;
    goodAtBound = 0;
  }

  /** The server has refused a batch, whatever its size. */
  synchronized void refused() {
    unreadableInARow = 0;
  }

  /** The server was not available for {@code records}. */
  synchronized void unavailable(int records) {
    unreadableInARow = 0;
    // A probe comes before the next request.
    suspended = false;
    if (records > 1) {
      limit(records);
    }
  }

  /**
   * The server's answer to a batch was unreadable: after three in a row, records are sent one by
   * one, until a probe finds that the server is back after it was down, but at most for a minute.
   *
   * @return whether records are sent one by one from now on
   */
  synchronized boolean unreadable() {
    unreadableInARow++;
    if (unreadableInARow < MAX_UNREADABLE) {
      return false;
    }
    unreadableInARow = 0;
    suspended = true;
    suspendedSince = clock.nanos();
    return true;
  }
}
