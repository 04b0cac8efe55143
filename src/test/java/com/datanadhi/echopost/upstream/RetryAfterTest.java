package com.datanadhi.echopost.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetryAfterTest {
  private static final Instant NOW = Instant.parse("2026-11-21T10:00:00Z");

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "7, 7",
    "' 120 ', 120",
    "007, 7",
    "999999999, 999999999",
    "1000000000, 2147483647",
    "99999999999999999999999999, 2147483647"
  })
  void seconds_are_parsed(String value, long seconds) {
    assertThat(RetryAfter.parse(value, NOW)).isEqualTo(Duration.ofSeconds(seconds));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Sat, 21 Nov 2026 10:00:30 GMT | 30",
        "Sun, 22 Nov 2026 10:00:00 GMT | 86400",
        "Sat, 21 Nov 2026 10:00:00 GMT | 0",
        "Sat, 21 Nov 2026 09:59:59 GMT | 0",
        "Thu, 01 Jan 1970 00:00:00 GMT | 0",
      })
  void a_date_is_parsed_and_one_in_the_past_is_zero(String value, long seconds) {
    assertThat(RetryAfter.parse(value, NOW)).isEqualTo(Duration.ofSeconds(seconds));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "soon",
        "-1",
        "+1",
        "1.5",
        "1s",
        "0x10",
        "\u0661",
        "2026-11-21T10:00:30Z",
        "Sat, 99 Nov 2026 10:00:30 GMT",
        "Mon, 21 Nov 2026 10:00:30 GMT"
      })
  void a_malformed_header_is_ignored(String value) {
    assertThat(RetryAfter.parse(value, NOW)).isNull();
  }

  @Test
  void a_missing_header_is_ignored() {
    assertThat(RetryAfter.parse(null, NOW)).isNull();
  }
}
