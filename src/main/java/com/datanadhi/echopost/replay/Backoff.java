package com.datanadhi.echopost.replay;

import java.time.Duration;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The pause after the nth consecutive failure: exponential from 0.25 s, capped at 30 s, with full
/// jitter (Marc Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015). A
/// `Retry-After` of the server is its lower bound, up to 5 min.
///
/// Not thread-safe: only the replay thread uses it.
final class Backoff {
  static final Duration FIRST = Duration.ofMillis(250);
  static final Duration CAP = Duration.ofSeconds(30);
  static final Duration LONGEST_RETRY_AFTER = Duration.ofMinutes(5);

  private final RandomGenerator random;
  private int failures;

  Backoff(RandomGenerator random) {
    this.random = random;
  }

  /// The pause after one more failure; its mean grows with each failure up to the cap.
  Duration next(@Nullable Duration retryAfter) {
    long ceiling = Math.min(CAP.toMillis(), FIRST.toMillis() << failures);
    if (ceiling < CAP.toMillis()) {
      failures++;
    }
    // At least one millisecond: zero would be no pause.
    Duration jittered = Duration.ofMillis(random.nextLong(1, ceiling + 1));
    if (retryAfter == null) {
      return jittered;
    }
    Duration asked =
        retryAfter.compareTo(LONGEST_RETRY_AFTER) < 0 ? retryAfter : LONGEST_RETRY_AFTER;
    return asked.compareTo(jittered) > 0 ? asked : jittered;
  }

  /// A delivery succeeded: the next failure counts as the first.
  void reset() {
    failures = 0;
  }
}
