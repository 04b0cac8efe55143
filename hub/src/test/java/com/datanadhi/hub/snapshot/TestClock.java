package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/// A clock that a test moves.
final class TestClock implements Clock {
  private final AtomicLong wall;
  private final AtomicLong nano = new AtomicLong(1);

  TestClock(String time) {
    wall = new AtomicLong(Instant.parse(time).toEpochMilli());
  }

  @Override
  public long wallMillis() {
    return wall.get();
  }

  @Override
  public long nanoTime() {
    return nano.get();
  }

  void pass(Duration time) {
    wall.addAndGet(time.toMillis());
    nano.addAndGet(time.toNanos());
  }

  /// The wall clock in RFC 3339, without `Z`.
  String time() {
    String text = Instant.ofEpochMilli(wall.get()).toString();
    return text.substring(0, text.length() - 1);
  }

  void set(String time) {
    wall.set(Instant.parse(time).toEpochMilli());
  }
}
