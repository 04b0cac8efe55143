package com.datanadhi.sdk.internal.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryAfterTest {
  private static final long NOW = Instant.parse("2026-01-02T03:04:05Z").toEpochMilli();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "7 | PT7S",
        "0 | PT0S",
        "300 | PT5M",
        "86400 | PT5M",
        "99999999999999999999 | PT0S",
        "-1 | PT0S",
        "1.5 | PT0S",
        "soon | PT0S",
        "Fri, 02 Jan 2026 03:04:15 GMT | PT10S",
        "Fri, 02 Jan 2026 03:04:00 GMT | PT0S",
        "Fri, 02 Jan 2037 03:04:00 GMT | PT5M",
      })
  void seconds_and_dates_are_understood_up_to_5_minutes(String value, Duration expected) {
    HttpHeaders headers = HttpHeaders.of(Map.of("Retry-After", List.of(value)), (n, v) -> true);
    assertThat(RetryAfter.of(headers, NOW)).isEqualTo(expected);
  }
}
