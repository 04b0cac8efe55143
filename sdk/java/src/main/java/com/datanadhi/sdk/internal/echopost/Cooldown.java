package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.time.Clock;
import java.time.Duration;

/**
 * The time after a failure in which something is not tried again. It doubles with each failure, up
 * to a maximum, until a success. Thread-safe.
 */
final class Cooldown {
  private final Duration first;
  private final Duration max;
  private final Clock clock;
  private Duration next;
  private long endNanos;
  private boolean running;

  Cooldown(Duration first, Duration max, Clock clock) {
    this.first = first;
    this.max = max;
    this.clock = clock;
    this.next = first;
  }

  /** Begins a cool-down after a failure, and returns how long it takes. */
  synchronized Duration begin() {
    Duration length = next;
    endNanos = clock.nanos() + length.toNanos();
    running = true;
    Duration doubled = length.multipliedBy(2);
    next = doubled.compareTo(max) < 0 ? doubled : max;
    return length;
  }

  /** Whether a cool-down has begun and not ended. */
  synchronized boolean isRunning() {
    running = running && endNanos - clock.nanos() > 0;
    return running;
  }

  /** Ends the cool-down after a success; the next one has the first length again. */
  synchronized void reset() {
    running = false;
    next = first;
  }
}
