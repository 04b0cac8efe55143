package com.datanadhi.testkit;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/// A wall clock and a monotonic clock that stand still until a test advances them. A subclass in
/// each build implements the interface of that build's clock. Thread-safe.
public class ManualTime {
  private static final long START_NANOS = 1_000_000_000;

  private final AtomicLong millis =
      new AtomicLong(Instant.parse("2026-11-21T10:00:00.123Z").toEpochMilli());
  private final AtomicLong nanos = new AtomicLong(START_NANOS);
  private final AtomicLong reads = new AtomicLong();

  /// The wall clock, in milliseconds since 1970-01-01T00:00:00Z.
  public final long millis() {
    return millis.get();
  }

  /// The monotonic clock, in nanoseconds.
  public final long nanos() {
    reads.incrementAndGet();
    return nanos.get();
  }

  /// How often the monotonic clock was read.
  public final long reads() {
    return reads.get();
  }

  /// By how much the clocks were advanced.
  public final Duration elapsed() {
    return Duration.ofNanos(nanos.get() - START_NANOS);
  }

  /// Advances both clocks.
  public final void advance(Duration by) {
    millis.addAndGet(by.toMillis());
    nanos.addAndGet(by.toNanos());
  }
}
