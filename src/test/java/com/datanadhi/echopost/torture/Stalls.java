package com.datanadhi.echopost.torture;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// Notices when this process is held up, by a machine that has other things to do, from now until
/// closed: then what its clients do says nothing about the agent. Thread-safe.
final class Stalls implements AutoCloseable {
  private static final Duration NAP = Duration.ofMillis(5);
  private static final Duration WORTH_REMEMBERING = Duration.ofMillis(30);

  private record Stall(Instant from, Instant to) {}

  private final List<Stall> stalls = new ArrayList<>();
  private final Thread napping = Thread.ofPlatform().name("stalls").start(this::nap);
  private volatile boolean closed;

  private void nap() {
    Instant before = Instant.now();
    while (!closed) {
      LockSupport.parkNanos(NAP.toNanos());
      Instant now = Instant.now();
      if (Duration.between(before, now).compareTo(WORTH_REMEMBERING) > 0) {
        remember(new Stall(before, now));
      }
      before = now;
    }
  }

  private synchronized void remember(Stall stall) {
    stalls.add(stall);
  }

  /// For how long, in all, it stood still then.
  synchronized Duration between(Instant from, Instant to) {
    Duration sum = Duration.ZERO;
    for (Stall stall : stalls) {
      Instant begin = stall.from().isAfter(from) ? stall.from() : from;
      Instant end = stall.to().isBefore(to) ? stall.to() : to;
      if (begin.isBefore(end)) {
        sum = sum.plus(Duration.between(begin, end));
      }
    }
    return sum;
  }

  /// The longest of all.
  synchronized Duration longest() {
    return stalls.stream()
        .map(stall -> Duration.between(stall.from(), stall.to()))
        .max(Duration::compareTo)
        .orElse(Duration.ZERO);
  }

  @Override
  public void close() throws InterruptedException {
    closed = true;
    napping.join();
  }
}
