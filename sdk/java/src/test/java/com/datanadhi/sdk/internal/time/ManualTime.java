package com.datanadhi.sdk.internal.time;

import java.time.Duration;

/** A clock that stands still, and a waiter that moves it and returns at once. Thread-safe. */
public final class ManualTime extends com.datanadhi.testkit.ManualTime implements Clock, Waiter {
  @Override
  public void sleep(Duration time) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    advance(time);
  }
}
