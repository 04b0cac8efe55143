package com.datanadhi.sdk.internal.time;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that stands still, and a waiter that moves it and returns at once. Thread-safe. */
public final class ManualTime implements Clock, Waiter {
  private final AtomicLong nanos = new AtomicLong();

  @Override
  public long millis() {
    return nanos.get() / 1_000_000;
  }

  @Override
  public long nanos() {
    return nanos.get();
  }

  @Override
  public void sleep(Duration time) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    advance(time);
  }

  public void advance(Duration time) {
    nanos.addAndGet(time.toNanos());
  }
}
