package com.datanadhi.echopost.upstream;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/// Parses the header `Retry-After` (RFC 9110, section 10.2.3): a number of seconds or a date.
final class RetryAfter {
  private static final int LONGEST_NUMBER = 9;

  private RetryAfter() {}

  /// The time to wait from `now`, never negative; null when the header is missing or malformed.
  static @Nullable Duration parse(@Nullable String value, Instant now) {
    if (value == null) {
      return null;
    }
    String text = value.strip();
    if (text.matches("[0-9]+")) {
      return Duration.ofSeconds(
          text.length() > LONGEST_NUMBER ? Integer.MAX_VALUE : Integer.parseInt(text));
    }
    try {
      Instant until = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      return until.isAfter(now) ? Duration.between(now, until) : Duration.ZERO;
    } catch (DateTimeException notADate) {
      return null;
    }
  }
}
