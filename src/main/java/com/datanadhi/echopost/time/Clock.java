package com.datanadhi.echopost.time;

import java.time.Instant;

/// The program's only source of time. Tests use one that they move by hand.
///
/// Wall time is only for people and for the main server (`received_at`, log lines). Every duration
/// is measured with [#nanos()], so a jump of the wall clock changes no decision of the agent.
/// Thread-safe.
public interface Clock {
  /// Milliseconds since 1970-01-01T00:00:00Z; may jump both ways.
  long millis();

  /// Nanoseconds of a monotonic clock that stops while the machine sleeps. Only differences are
  /// meaningful.
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
