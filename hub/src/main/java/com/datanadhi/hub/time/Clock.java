package com.datanadhi.hub.time;

/// The time. Tests hold one of their own.
public interface Clock {
  /// Milliseconds since 1970.
  long wallMillis();

  /// Nanoseconds of a clock that only goes forward.
  long nanoTime();

  /// The clocks of the machine.
  static Clock system() {
    return SystemClock.INSTANCE;
  }
}
