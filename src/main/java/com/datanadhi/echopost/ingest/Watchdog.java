package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.time.Clock;
import java.util.concurrent.TimeUnit;

/// Decides when something has made no progress for so long that only a new process helps.
///
/// While the whole process was suspended (by a signal, a paused container, a debugger), nothing in
/// it could make progress, and nothing is wrong. A late check reveals a suspension; the time before
/// that check is not counted. Confined to one thread at a time.
final class Watchdog {
  private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final Clock clock;
  private long checkNanos;
  private long awakeNanos;

  Watchdog(Clock clock) {
    this.clock = clock;
    this.checkNanos = clock.nanos();
    this.awakeNanos = checkNanos;
  }

  /// Starts a check. Has to be called more often than every 5 s.
  void check() {
    long now = clock.nanos();
    if (now - checkNanos > LATE_NANOS) {
      awakeNanos = now;
    }
    checkNanos = now;
  }

  /// @param stillNanos the time without progress
  boolean isStuck(long stillNanos) {
    return Math.min(stillNanos, checkNanos - awakeNanos) > STUCK_NANOS;
  }
}
