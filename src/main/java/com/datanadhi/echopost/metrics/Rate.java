package com.datanadhi.echopost.metrics;

import com.datanadhi.echopost.time.Clock;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// The rate of a count per second, as a mean over the last minute, or since the start when that is
/// less. It keeps one sample a second for a minute. Thread-safe.
public final class Rate {
  private static final int SAMPLES = 60;
  private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final LongSupplier count;
  private final Clock clock;
  private final long[] nanos = new long[SAMPLES];
  private final long[] counts = new long[SAMPLES];
  private int taken;

  /// @param count reads the count, in the calling thread
  public Rate(LongSupplier count, Clock clock) {
    this.count = count;
    this.clock = clock;
    take(clock.nanos());
  }

  /// Takes a sample, unless the last one is less than a second old.
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

  /// The rate per second. During the first second, the count is divided by a whole second.
  public synchronized double perSecond() {
    int oldest = taken < SAMPLES ? 0 : taken % SAMPLES;
    long elapsed = Math.max(PERIOD_NANOS, clock.nanos() - nanos[oldest]);
    return (count.getAsLong() - counts[oldest]) * 1e9 / elapsed;
  }
}
