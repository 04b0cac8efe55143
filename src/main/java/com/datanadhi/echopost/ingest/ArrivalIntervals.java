package com.datanadhi.echopost.ingest;

import java.util.concurrent.TimeUnit;

/// Remembers when the last record arrived and the recent intervals between records. Written on the
/// event loop; the results are volatile, for any thread.
final class ArrivalIntervals {
  private static final int REMEMBERED = 8;

  /// Shorter intervals come from bursts, and would displace those of a client that sends
  /// occasionally.
  private static final long MIN_REMEMBERED = TimeUnit.MILLISECONDS.toNanos(100);

  private final long[] intervals = new long[REMEMBERED];
  private int next;
  private boolean any;
  private volatile long last;
  private volatile long longest;

  ArrivalIntervals(long nowNanos) {
    last = nowNanos;
  }

  void recordAt(long nowNanos) {
    long interval = nowNanos - last;
    last = nowNanos;
    if (any && interval >= MIN_REMEMBERED) {
      intervals[next] = interval;
      next = (next + 1) % REMEMBERED;
      long found = 0;
      for (long remembered : intervals) {
        found = Math.max(found, remembered);
      }
      longest = found;
    }
    any = true;
  }

  /// The time when the last record arrived; before the first one, when this object was created.
  long lastNanos() {
    return last;
  }

  /// The longest of the recent intervals, 0 if there was none.
  long longestNanos() {
    return longest;
  }
}
