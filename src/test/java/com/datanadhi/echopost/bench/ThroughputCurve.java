package com.datanadhi.echopost.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The rate at which a count grows, as a curve: the mean over windows of at least 100 ms.
final class ThroughputCurve {
  private static final long WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final long originNanos;
  private final List<Chart.Point> points = new ArrayList<>();
  private long windowStartNanos = System.nanoTime();
  private long windowStartCount;

  /// Starts to count now.
  ///
  /// @param originNanos the zero of the time axis, by `System.nanoTime`
  ThroughputCurve(long originNanos) {
    this.originNanos = originNanos;
    points.add(new Chart.Point(0, 0));
    points.add(new Chart.Point((windowStartNanos - originNanos) / 1e9, 0));
  }

  /// Adds a point if the current window is long enough.
  ///
  /// @param total the count now
  void count(long total) {
    long now = System.nanoTime();
    if (now - windowStartNanos >= WINDOW_NANOS) {
      points.add(
          new Chart.Point(
              ((now + windowStartNanos) / 2 - originNanos) / 1e9,
              (total - windowStartCount) / ((now - windowStartNanos) / 1e9)));
      windowStartNanos = now;
      windowStartCount = total;
    }
  }

  /// Seconds since the origin, and the rate per second.
  List<Chart.Point> points() {
    return List.copyOf(points);
  }
}
