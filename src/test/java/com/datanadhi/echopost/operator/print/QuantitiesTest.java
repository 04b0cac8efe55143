package com.datanadhi.echopost.operator.print;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantitiesTest {
  @ParameterizedTest
  @CsvSource({"0,0s", "59,59s", "61,1m 1s", "3700,1h 1m", "90000,1d 1h"})
  void a_duration_has_at_most_two_units(long seconds, String text) {
    assertThat(Quantities.duration(seconds)).isEqualTo(text);
  }
}
