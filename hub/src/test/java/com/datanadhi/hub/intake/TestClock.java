package com.datanadhi.hub.intake;

import com.datanadhi.hub.time.Clock;
import java.util.concurrent.atomic.AtomicLong;

/// A clock that the test holds.
final class TestClock implements Clock {
  private final AtomicLong millis = new AtomicLong(1_700_000_000_000L);

  void advance(long byMillis) {
    millis.addAndGet(byMillis);
  }

  @Override
  public long wallMillis() {
    return millis.get();
  }

  @Override
  public long nanoTime() {
    return millis.get() * 1_000_000;
  }
}
