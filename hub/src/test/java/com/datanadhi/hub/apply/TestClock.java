package com.datanadhi.hub.apply;

import com.datanadhi.hub.time.Clock;
import java.util.concurrent.atomic.AtomicLong;

/// A clock that a test moves.
final class TestClock implements Clock {
  private final AtomicLong wall = new AtomicLong(1_700_000_000_000L);
  private final AtomicLong nano = new AtomicLong(1);

  @Override
  public long wallMillis() {
    return wall.get();
  }

  @Override
  public long nanoTime() {
    return nano.get();
  }

  void pass(long millis) {
    wall.addAndGet(millis);
    nano.addAndGet(millis * 1_000_000);
  }

  void passNanos(long nanos) {
    long before = nano.getAndAdd(nanos);
    wall.addAndGet((before + nanos) / 1_000_000 - before / 1_000_000);
  }

  void step(long millis) {
    wall.addAndGet(millis);
  }
}
