package com.datanadhi.hub.log;

import com.datanadhi.hub.time.Clock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/// A clock that only the test moves.
public final class ManualClock implements Clock {
  private final AtomicLong nanos = new AtomicLong();

  public void advance(Duration by) {
    long _ = nanos.addAndGet(by.toNanos());
  }

  @Override
  public long wallMillis() {
    return 1_700_000_000_000L + nanos.get() / 1_000_000;
  }

  @Override
  public long nanoTime() {
    return nanos.get();
  }
}
