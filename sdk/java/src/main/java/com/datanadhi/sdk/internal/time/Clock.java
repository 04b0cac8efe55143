package com.datanadhi.sdk.internal.time;

/**
 * The SDK's only source of the time. Tests use one that they set by hand.
 *
 * <p>{@link #millis} is for file names and for what people read. {@link #nanos} is for durations: a
 * wall clock that jumps does not change them. Thread-safe.
 */
public interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z; can jump forward and back. */
  long millis();

  /** Nanoseconds of a monotonic clock; only the difference between two values has a meaning. */
  long nanos();

  /** The clocks of the machine. */
  static Clock system() {
    return SystemClock.INSTANCE;
  }
}
