package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Lets a program's wall clock jump by an hour or two, forwards and back, every so often, from now
/// until closed; then it is right again.
final class ClockJumps implements AutoCloseable {
  static final Duration BACK = Duration.ofHours(-1);
  static final Duration FORTH = Duration.ofHours(1);

  private static final List<Duration> OFFSETS = List.of(BACK, Duration.ZERO, FORTH);
  private static final int LONGEST_MILLIS = 500;

  private final ClockShim clock;
  private final Random random;
  private final Tally tally;
  private final Thread jumping;
  private volatile boolean closed;

  ClockJumps(ClockShim clock, Random random, Tally tally) {
    this.clock = clock;
    this.random = random;
    this.tally = tally;
    this.jumping = Thread.ofVirtual().start(this::jump);
  }

  private void jump() {
    try {
      while (!closed) {
        clock.jump(OFFSETS.get(random.nextInt(OFFSETS.size())));
        tally.add("clock jumps", 1);
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(LONGEST_MILLIS)));
      }
      clock.jump(Duration.ZERO);
    } catch (IOException gone) {
      throw new UncheckedIOException(gone);
    }
  }

  @Override
  public void close() throws InterruptedException {
    closed = true;
    jumping.join();
  }
}
