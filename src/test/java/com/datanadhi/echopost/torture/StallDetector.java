package com.datanadhi.echopost.torture;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// Detects times when the machine did not run this process, from now until closed. During a stall a
/// slow client in this process is not the agent's fault. Thread-safe.
final class StallDetector implements AutoCloseable {
  private static final Duration INTERVAL = Duration.ofMillis(5);
  private static final Duration SHORTEST_STALL = Duration.ofMillis(30);

  private record Stall(Instant from, Instant to) {}

  private final List<Stall> stalls = new ArrayList<>();
  private final Thread thread = Thread.ofPlatform().name("stalls").start(this::detect);
  private volatile boolean closed;

  private void detect() {
    Instant before = Instant.now();
    while (!closed) {
      LockSupport.parkNanos(INTERVAL.toNanos());
      Instant now = Instant.now();
      if (Duration.between(before, now).compareTo(SHORTEST_STALL) > 0) {
        add(new Stall(before, now));
      }
      before = now;
    }
  }

  private synchronized void add(Stall stall) {
    stalls.add(stall);
  }

  /// The sum of all stalls between two moments.
  synchronized Duration totalBetween(Instant from, Instant to) {
    Duration sum = Duration.ZERO;
    for (Stall stall : stalls) {
      Instant start = stall.from().isAfter(from) ? stall.from() : from;
      Instant end = stall.to().isBefore(to) ? stall.to() : to;
      if (start.isBefore(end)) {
        sum = sum.plus(Duration.between(start, end));
      }
    }
    return sum;
  }

  /// The longest stall, or zero.
  synchronized Duration longest() {
    return stalls.stream()
        .map(stall -> Duration.between(stall.from(), stall.to()))
        .max(Duration::compareTo)
        .orElse(Duration.ZERO);
  }

  @Override
  public void close() throws InterruptedException {
    closed = true;
    thread.join();
  }
}
