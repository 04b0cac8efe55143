package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.time.Clock;
import java.util.concurrent.TimeUnit;

/// Says when something has stood still for so long that only a new process helps.
///
/// While the whole process stood still (a signal, a container that was paused, a debugger), nothing
/// in it could go on, and nothing is wrong with it: that shows in a look that comes late, and is
/// not counted. Confined to one thread.
final class Watchdog {
  private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(5);

  private final Clock clock;
  private long lookNanos;
  private long awakeNanos;

  Watchdog(Clock clock) {
    this.clock = clock;
    this.lookNanos = clock.nanos();
    this.awakeNanos = lookNanos;
  }

  /// Begins a look, which is to come every so often.
  void look() {
    long now = clock.nanos();
    if (now - lookNanos > LATE_NANOS) {
      awakeNanos = now;
    }
    lookNanos = now;
  }

  /// @param stillNanos for how long it has stood still
  boolean isStuck(long stillNanos) {
    return Math.min(stillNanos, lookNanos - awakeNanos) > STUCK_NANOS;
  }
}
