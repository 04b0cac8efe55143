package com.datanadhi.sdk.internal.time;

import java.time.Duration;

/**
 * The SDK's only way to sleep. Tests use one that moves their clock and returns at once.
 * Thread-safe.
 */
public interface Waiter {
  /**
   * Suspends the calling thread for {@code time}, rounded down to milliseconds.
   *
   * @throws InterruptedException if the thread is interrupted before or while it sleeps
   */
  void sleep(Duration time) throws InterruptedException;

  /** Sleeps in real time. */
  static Waiter system() {
    return time -> Thread.sleep(time.toMillis());
  }
}
