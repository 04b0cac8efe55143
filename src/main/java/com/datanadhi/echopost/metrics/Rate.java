package com.datanadhi.echopost.metrics;

import com.datanadhi.echopost.time.Clock;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// How fast something counts up, as a mean over the last minute, or since the start when that is
/// less. Thread-safe.
///
/// It looks about once a second, when [#sample] is called, and keeps what it saw for a minute.
public final class Rate {
  private static final int SAMPLES = 60;
  private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final LongSupplier count;
  private final Clock clock;
  private final long[] nanos = new long[SAMPLES];
  private final long[] counts = new long[SAMPLES];
  private int taken;

  /// @param count how far it has come; asked by whoever calls
  public Rate(LongSupplier count, Clock clock) {
    this.count = count;
    this.clock = clock;
    take(clock.nanos());
  }

  /// Looks, if it has not done so for a second.
  public synchronized void sample() {
    long now = clock.nanos();
    if (now - nanos[(taken - 1) % SAMPLES] >= PERIOD_NANOS) {
      take(now);
    }
  }

  private void take(long now) {
    nanos[taken % SAMPLES] = now;
    counts[taken % SAMPLES] = count.getAsLong();
    taken++;
  }

  /// How many a second. In the first second as if that were over.
  public synchronized double perSecond() {
    int oldest = taken < SAMPLES ? 0 : taken % SAMPLES;
    long elapsed = Math.max(PERIOD_NANOS, clock.nanos() - nanos[oldest]);
    return (count.getAsLong() - counts[oldest]) * 1e9 / elapsed;
  }
}
