package com.datanadhi.hub.grpc;

import io.grpc.StatusException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/// Whether the door is stopping, and whom to wake when it does. Thread-safe.
final class Stopping {
  private static final Duration RETRY = Duration.ofSeconds(1);

  private final Set<Runnable> waiting = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean begun = new AtomicBoolean();

  boolean begun() {
    return begun.get();
  }

  /// Refuses new calls, and wakes who waits.
  ///
  /// @return false if it has begun before
  boolean begin() {
    boolean first = begun.compareAndSet(false, true);
    waiting.forEach(Runnable::run);
    return first;
  }

  /// Has `wake` called when stopping begins.
  void add(Runnable wake) {
    waiting.add(wake);
    if (begun()) {
      wake.run();
    }
  }

  void remove(Runnable wake) {
    waiting.remove(wake);
  }

  /// @throws StatusException the door is stopping
  void check() throws StatusException {
    if (begun()) {
      throw refusal();
    }
  }

  static StatusException refusal() {
    return Statuses.unavailable("the hub is shutting down", RETRY);
  }
}
