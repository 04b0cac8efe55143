package com.datanadhi.echopost.ingest;

import java.util.concurrent.TimeUnit;

/// Remembers when the last record came and how long the recent gaps between records were. Written
/// by one thread, read by any.
final class ArrivalIntervals {
  private static final int REMEMBERED = 8;

  /// Shorter ones say nothing of a client that sends now and then, and would crowd out those that
  /// do.
  private static final long WORTH_REMEMBERING = TimeUnit.MILLISECONDS.toNanos(100);

  private final long[] gaps = new long[REMEMBERED];
  private int next;
  private boolean any;
  private volatile long last;
  private volatile long longest;

  ArrivalIntervals(long nowNanos) {
    last = nowNanos;
  }

  void recordAt(long nowNanos) {
    long gap = nowNanos - last;
    last = nowNanos;
    if (any && gap >= WORTH_REMEMBERING) {
      gaps[next] = gap;
      next = (next + 1) % REMEMBERED;
      long found = 0;
      for (long remembered : gaps) {
        found = Math.max(found, remembered);
      }
      longest = found;
    }
    any = true;
  }

  /// When the last record came, or else when this began.
  long lastNanos() {
    return last;
  }

  /// The longest of the recent gaps, 0 when there was none.
  long longestNanos() {
    return longest;
  }
}
