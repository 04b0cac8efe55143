package com.datanadhi.hub.record;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SourceKeyTest {
  private static final String HEX = "0123456789abcdef0123456789abcdef";
  private static final String UUID = "01234567-89ab-CDEF-0123-456789abcdef";

  @Test
  void a_source_is_a_uuid_or_32_lower_case_hex_digits() {
    assertThat(SourceKey.parse(HEX + "-1")).isEqualTo(new SourceKey(HEX, 1));
    assertThat(SourceKey.parse(UUID + "-10")).isEqualTo(new SourceKey(UUID, 10));
    assertThat(SourceKey.parse(HEX + "-999999999999999999"))
        .isEqualTo(new SourceKey(HEX, 999_999_999_999_999_999L));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-",
        "k-1",
        HEX,
        HEX + "-",
        HEX + "-0",
        HEX + "-01",
        HEX + "--1",
        HEX + "-+1",
        HEX + "-1a",
        HEX + "-1000000000000000000",
        HEX + "0-1",
        UUID,
        UUID + "-0",
        "0123456789ABCDEF0123456789abcdef-1",
        "0123456789abcdeg0123456789abcdef-1",
        "01234567-89ab-cdef-0123-456789abcdeg-1",
        "0123456789ab-cdef-0123-456789abcdef0-1",
        "01234567-89ab-cdef-0123-456789abcdef-\u0661"
      })
  void other_keys_have_no_source(String key) {
    assertThat(SourceKey.parse(key)).isNull();
  }
}
