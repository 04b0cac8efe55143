package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.time.Waiter;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// The signals of other threads to the [Lifecycle]: a stop request, or that its next turn must not
/// wait. Thread-safe: the reason is volatile, the waiter has a lock of its own.
final class RunSignals {
  private final Waiter waiter = new Waiter();
  private volatile @Nullable String stopReason;

  /// Requests the end of the run, whether or not records are pending.
  void requestStop(String reason) {
    stopReason = reason;
    waiter.wake();
  }

  /// The reason of the last stop request; null when there is none.
  @Nullable String stopReason() {
    return stopReason;
  }

  /// Ends the current [#await], or the next one.
  void wake() {
    waiter.wake();
  }

  /// Waits for a signal, but no longer than `longest`.
  void await(Duration longest) throws InterruptedException {
    waiter.await(longest);
  }
}
