package com.datanadhi.echopost.record;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordRulesTest {
  @ParameterizedTest
  @ValueSource(strings = {"", "key", "a b\tc", "schlüssel", "~!\"", " "})
  void text_without_control_characters_is_a_header_value(String value) {
    assertThat(RecordRules.isHeaderValue(value.getBytes(UTF_8))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\nb", "a\r", "\u0000", "\u001f", "\u007f"})
  void control_characters_are_not_allowed_in_a_header_value(String value) {
    assertThat(RecordRules.isHeaderValue(value.getBytes(UTF_8))).isFalse();
  }

  @Test
  void an_idempotency_key_is_1_to_255_visible_ascii_characters() {
    assertThat(RecordRules.isIdempotencyKey("!")).isTrue();
    assertThat(RecordRules.isIdempotencyKey("~".repeat(255))).isTrue();
    assertThat(RecordRules.isIdempotencyKey("~".repeat(256))).isFalse();
    for (String bad : new String[] {"", " ", "a b", "a\tb", "\u007f", "é", "a\n"}) {
      assertThat(RecordRules.isIdempotencyKey(bad)).as(bad).isFalse();
    }
  }
}
