package com.datanadhi.echopost.time;

import java.time.Instant;

/// The program's only view of time. Tests hold one that they move by hand.
///
/// Wall time is for people and for the main server (`received_at`, log lines); every duration is
/// measured with [#nanos()], so a wall clock that jumps changes nothing the agent decides.
/// Thread-safe.
public interface Clock {
  /// Milliseconds since 1970-01-01T00:00:00Z; may jump both ways.
  long millis();

  /// Nanoseconds of a clock that never goes back and stands still while the machine sleeps; only
  /// differences mean anything.
  long nanos();

  /// The wall clock as an instant with millisecond precision.
  default Instant now() {
    return Instant.ofEpochMilli(millis());
  }

  /// The machine's clocks.
  static Clock system() {
    return SystemClock.INSTANCE;
  }
}
