package com.datanadhi.echopost.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// How fast a count grows, as a curve: the mean rate of each tenth of a second or longer.
final class RateOverTime {
  private static final long WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final long originNanos;
  private final List<Picture.Point> points = new ArrayList<>();
  private long sinceNanos = System.nanoTime();
  private long counted;

  /// Counting begins now; time is measured from `originNanos`, by `System.nanoTime`.
  RateOverTime(long originNanos) {
    this.originNanos = originNanos;
    points.add(new Picture.Point(0, 0));
    points.add(new Picture.Point((sinceNanos - originNanos) / 1e9, 0));
  }

  /// The count is `total` now.
  void count(long total) {
    long now = System.nanoTime();
    if (now - sinceNanos >= WINDOW_NANOS) {
      points.add(
          new Picture.Point(
              ((now + sinceNanos) / 2 - originNanos) / 1e9,
              (total - counted) / ((now - sinceNanos) / 1e9)));
      sinceNanos = now;
      counted = total;
    }
  }

  /// Seconds, and per second.
  List<Picture.Point> points() {
    return List.copyOf(points);
  }
}
