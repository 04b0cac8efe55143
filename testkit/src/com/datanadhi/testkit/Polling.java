package com.datanadhi.testkit;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// Waits for a condition, for code that also runs outside of tests.
public final class Polling {
  private Polling() {}

  /// Returns once the condition holds.
  ///
  /// @return the time since the call, in nanoseconds
  /// @throws IllegalStateException with the message from `failure` if that takes longer than
  ///   `limit`, or the thread is interrupted
  public static long until(
      BooleanSupplier condition, Duration interval, Duration limit, Supplier<String> failure) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > limit.toNanos() || Thread.currentThread().isInterrupted()) {
        throw new IllegalStateException(failure.get());
      }
      LockSupport.parkNanos(interval.toNanos());
    }
    return System.nanoTime() - start;
  }
}
