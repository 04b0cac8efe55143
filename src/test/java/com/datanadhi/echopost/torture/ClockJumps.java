package com.datanadhi.echopost.torture;

import com.datanadhi.testkit.ClockShim;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Makes a program's wall clock jump at random moments, an hour back or ahead of the true time or
/// to the true time, until closed. Then the clock shows the true time.
final class ClockJumps implements AutoCloseable {
  static final Duration ONE_HOUR_BACK = Duration.ofHours(-1);
  static final Duration ONE_HOUR_AHEAD = Duration.ofHours(1);

  private static final List<Duration> OFFSETS =
      List.of(ONE_HOUR_BACK, Duration.ZERO, ONE_HOUR_AHEAD);
  private static final int MAX_INTERVAL_MILLIS = 500;

  private final ClockShim clock;
  private final Random random;
  private final CampaignResult result;
  private final Thread thread;
  private volatile boolean closed;

  ClockJumps(ClockShim clock, Random random, CampaignResult result) {
    this.clock = clock;
    this.random = random;
    this.result = result;
    this.thread = Thread.ofVirtual().start(this::jump);
  }

  private void jump() {
    try {
      while (!closed) {
        clock.setOffset(OFFSETS.get(random.nextInt(OFFSETS.size())));
        result.add("clock jumps", 1);
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(MAX_INTERVAL_MILLIS)));
      }
      clock.setOffset(Duration.ZERO);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  @Override
  public void close() throws InterruptedException {
    closed = true;
    thread.join();
  }
}
