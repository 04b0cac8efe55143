package com.datanadhi.sdk.internal.http;

import java.net.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;

/** Reads the header {@code Retry-After} of an answer (RFC 9110, 10.2.3). */
final class RetryAfter {
  private static final Duration MAX = Duration.ofMinutes(5);

  private RetryAfter() {}

  /**
   * How long the server wants to be left alone: at most 5 min, and 0 if it does not say.
   *
   * @param nowMillis the time at which the answer came, in milliseconds since 1970
   */
  static Duration of(HttpHeaders headers, long nowMillis) {
    Duration wanted =
        headers
            .firstValue("Retry-After")
            .map(value -> parse(value, nowMillis))
            .orElse(Duration.ZERO);
    if (wanted.isNegative()) {
      return Duration.ZERO;
    }
    return wanted.compareTo(MAX) > 0 ? MAX : wanted;
  }

  private static Duration parse(String value, long nowMillis) {
    try {
      return value.strip().matches("\\d{1,9}")
          ? Duration.ofSeconds(Long.parseLong(value.strip()))
          : Duration.between(
              Instant.ofEpochMilli(nowMillis),
              DateTimeFormatter.RFC_1123_DATE_TIME.parse(value.strip(), Instant::from));
    } catch (DateTimeException neitherSecondsNorADate) {
      return Duration.ZERO;
    }
  }
}
