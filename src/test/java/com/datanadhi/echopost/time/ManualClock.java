package com.datanadhi.echopost.time;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/// A clock that stands still until a test moves it. Thread-safe.
public final class ManualClock implements Clock {
  private final AtomicLong millis =
      new AtomicLong(Instant.parse("2026-11-21T10:00:00.123Z").toEpochMilli());
  private final AtomicLong nanos = new AtomicLong(1_000_000_000);
  private final AtomicLong reads = new AtomicLong();

  @Override
  public long millis() {
    return millis.get();
  }

  @Override
  public long nanos() {
    long _ = reads.incrementAndGet();
    return nanos.get();
  }

  /// How often the nanoseconds were read.
  public long reads() {
    return reads.get();
  }

  /// Advances both clocks.
  public void advance(Duration by) {
    long _ = millis.addAndGet(by.toMillis());
    long _ = nanos.addAndGet(by.toNanos());
  }
}
