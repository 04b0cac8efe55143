package com.datanadhi.echopost.agent;

import java.time.Duration;

/// The time for which an idle agent keeps serving after its start or the last record: 2 s, or twice
/// the longest recent gap between records, but at most 10 s. So it stays for clients that send
/// occasionally.
final class Linger {
  static final Duration SHORTEST = Duration.ofSeconds(2);
  static final Duration LONGEST = Duration.ofSeconds(10);

  private Linger() {}

  static Duration after(long longestIntervalNanos) {
    long twice = Math.min(longestIntervalNanos, LONGEST.toNanos()) * 2;
    return Duration.ofNanos(Math.clamp(twice, SHORTEST.toNanos(), LONGEST.toNanos()));
  }
}
