package com.datanadhi.sdk.internal.echopost;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * How long EchoPost is left alone after a failure: twice as long each time, up to a cap. Guarded.
 */
final class Cooldown {
  private final Duration first;
  private final Duration cap;
  private final LongSupplier nanoClock;
  private Duration next;
  private long until;
  private boolean running;

  Cooldown(Duration first, Duration cap, LongSupplier nanoClock) {
    this.first = first;
    this.cap = cap;
    this.nanoClock = nanoClock;
    this.next = first;
  }

  /** It failed; returns how long it is left alone now. */
  synchronized Duration begin() {
    Duration now = next;
    until = nanoClock.getAsLong() + now.toNanos();
    running = true;
    next = now.multipliedBy(2).compareTo(cap) < 0 ? now.multipliedBy(2) : cap;
    return now;
  }

  /** Whether it is to be left alone still. */
  synchronized boolean isRunning() {
    running = running && until - nanoClock.getAsLong() > 0;
    return running;
  }

  /** It works: it is left alone no longer, and the next failure is the first again. */
  synchronized void reset() {
    running = false;
    next = first;
  }
}
