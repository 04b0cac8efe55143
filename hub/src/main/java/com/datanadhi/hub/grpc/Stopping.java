package com.datanadhi.hub.grpc;

import io.grpc.StatusException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Whether the door is stopping, and whom to wake when it does. Thread-safe.
final class Stopping {
  private static final Duration RETRY = Duration.ofSeconds(1);

  private final Set<Runnable> waiting = ConcurrentHashMap.newKeySet();
  private volatile boolean begun;

  boolean begun() {
    return begun;
  }

  void begin() {
    begun = true;
    waiting.forEach(Runnable::run);
  }

  /// Has `wake` called when stopping begins.
  void add(Runnable wake) {
    waiting.add(wake);
    if (begun) {
      wake.run();
    }
  }

  void remove(Runnable wake) {
    waiting.remove(wake);
  }

  /// @throws StatusException the door is stopping
  void check() throws StatusException {
    if (begun) {
      throw refusal();
    }
  }

  static StatusException refusal() {
    return Statuses.unavailable("the hub is shutting down", RETRY);
  }
}
