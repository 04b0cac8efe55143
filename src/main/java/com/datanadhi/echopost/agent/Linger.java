package com.datanadhi.echopost.agent;

import java.time.Duration;

/// How long an agent with nothing to do waits for more before it leaves: 2 s from its start or from
/// the last record; for clients that send now and then, twice the longest recent gap between their
/// records, but 10 s at most.
final class Linger {
  static final Duration SHORTEST = Duration.ofSeconds(2);
  static final Duration LONGEST = Duration.ofSeconds(10);

  private Linger() {}

  static Duration after(long longestGapNanos) {
    long twice = Math.min(longestGapNanos, LONGEST.toNanos()) * 2;
    return Duration.ofNanos(Math.clamp(twice, SHORTEST.toNanos(), LONGEST.toNanos()));
  }
}
