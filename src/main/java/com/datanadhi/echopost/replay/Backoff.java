package com.datanadhi.echopost.replay;

import java.time.Duration;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// How long to wait after the nth failure in a row: exponential from 0.25 s, capped at 30 s, with
/// full jitter (Marc Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015); never
/// less than the server asked for with `Retry-After`, of which up to 5 min are honoured. Confined
/// to one thread.
final class Backoff {
  static final Duration FIRST = Duration.ofMillis(250);
  static final Duration CAP = Duration.ofSeconds(30);
  static final Duration LONGEST_ASKED = Duration.ofMinutes(5);

  private final RandomGenerator random;
  private int failures;

  Backoff(RandomGenerator random) {
    this.random = random;
  }

  /// The next pause, longer on average than the one before it.
  Duration next(@Nullable Duration retryAfter) {
    long ceiling = Math.min(CAP.toMillis(), FIRST.toMillis() << failures);
    if (ceiling < CAP.toMillis()) {
      failures++;
    }
    // At least a millisecond: a pause of nothing at all would be no pause.
    Duration jittered = Duration.ofMillis(random.nextLong(1, ceiling + 1));
    if (retryAfter == null) {
      return jittered;
    }
    Duration asked = retryAfter.compareTo(LONGEST_ASKED) < 0 ? retryAfter : LONGEST_ASKED;
    return asked.compareTo(jittered) > 0 ? asked : jittered;
  }

  /// It worked: begin anew at the next failure.
  void reset() {
    failures = 0;
  }
}
