package com.datanadhi.echopost.time;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/// A clock that stands still until a test moves it. Thread-safe.
public final class ManualClock implements Clock {
  private final AtomicLong millis =
      new AtomicLong(Instant.parse("2026-11-21T10:00:00.123Z").toEpochMilli());
  private final AtomicLong nanos = new AtomicLong(1_000_000_000);
  private final AtomicLong looks = new AtomicLong();

  @Override
  public long millis() {
    return millis.get();
  }

  @Override
  public long nanos() {
    long _ = looks.incrementAndGet();
    return nanos.get();
  }

  /// How often somebody has asked for the nanoseconds.
  public long reads() {
    return looks.get();
  }

  /// Moves both clocks on.
  public void advance(Duration by) {
    long _ = millis.addAndGet(by.toMillis());
    long _ = nanos.addAndGet(by.toNanos());
  }
}
