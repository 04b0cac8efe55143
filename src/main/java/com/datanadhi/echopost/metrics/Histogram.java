package com.datanadhi.echopost.metrics;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;

/// Counts values in buckets. One thread at a time observes values, without locks or allocation; any
/// thread may read, and may miss the value that is being observed.
public final class Histogram {
  private static final double NANOS = 1e9;

  private final long[] bounds;
  private final double unit;
  private final AtomicLongArray counts;
  private final Counter sum = new Counter();

  private Histogram(double unit, long... bounds) {
    this.unit = unit;
    this.bounds = bounds;
    this.counts = new AtomicLongArray(bounds.length + 1);
  }

  /// For durations from 0.1 ms to 50 s, observed in nanoseconds and exposed in seconds.
  ///
  /// @param steps the bounds within each power of ten: factors from 1, ascending
  public static Histogram ofDurations(double... steps) {
    long[] bounds = new long[6 * steps.length];
    long decade = 100_000;
    for (int i = 0; i < bounds.length; i++) {
      bounds[i] = Math.round(decade * steps[i % steps.length]);
      decade *= i % steps.length == steps.length - 1 ? 10 : 1;
    }
    return new Histogram(NANOS, bounds);
  }

  /// For numbers from 1 to `largest`, with powers of two as bounds.
  public static Histogram ofNumbers(int largest) {
    long[] bounds = new long[Integer.SIZE - Integer.numberOfLeadingZeros(largest)];
    for (int i = 0; i < bounds.length; i++) {
      bounds[i] = 1L << i;
    }
    return new Histogram(1, bounds);
  }

  /// Counts `value`, which must not be negative.
  public void observe(long value) {
    int found = Arrays.binarySearch(bounds, value);
    int bucket = found >= 0 ? found : -found - 1;
    counts.setOpaque(bucket, counts.getPlain(bucket) + 1);
    sum.add(value);
  }

  /// The value that a `share` of the values (0 to 1) does not exceed, interpolated within its
  /// bucket; NaN when there are no values.
  public double quantile(double share) {
    long[] cumulative = cumulative();
    long all = cumulative[bounds.length];
    double rank = share * all;
    int bucket = 0;
    while (bucket < bounds.length && cumulative[bucket] < rank) {
      bucket++;
    }
    if (all == 0 || bucket == bounds.length) {
      // Beyond the last bound only the bound is known.
      return all == 0 ? Double.NaN : bounds[bounds.length - 1] / unit;
    }
    long below = bucket == 0 ? 0 : cumulative[bucket - 1];
    double lower = bucket == 0 ? 0 : bounds[bucket - 1];
    double part = (rank - below) / Math.max(1, cumulative[bucket] - below);
    return (lower + part * (bounds[bucket] - lower)) / unit;
  }

  /// The number of values up to each bound; the last element is the number of all values.
  long[] cumulative() {
    long[] cumulative = new long[bounds.length + 1];
    long total = 0;
    for (int i = 0; i < cumulative.length; i++) {
      total += counts.getOpaque(i);
      cumulative[i] = total;
    }
    return cumulative;
  }

  /// In the unit that is exposed.
  double bound(int index) {
    return bounds[index] / unit;
  }

  double sum() {
    return sum.value() / unit;
  }
}
