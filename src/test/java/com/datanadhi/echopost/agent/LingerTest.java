package com.datanadhi.echopost.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LingerTest {
  @ParameterizedTest
  @CsvSource({
    "0, 2000",
    "100, 2000",
    "1000, 2000",
    "1001, 2002",
    "3000, 6000",
    "5000, 10000",
    "5001, 10000",
    "86400000, 10000"
  })
  void it_is_twice_the_longest_gap_between_two_and_ten_seconds(long gapMillis, long lingerMillis) {
    assertThat(Linger.after(Duration.ofMillis(gapMillis).toNanos()))
        .isEqualTo(Duration.ofMillis(lingerMillis));
  }

  @Test
  void the_longest_gap_there_can_be_does_not_overflow() {
    assertThat(Linger.after(Long.MAX_VALUE)).isEqualTo(Duration.ofSeconds(10));
  }
}
