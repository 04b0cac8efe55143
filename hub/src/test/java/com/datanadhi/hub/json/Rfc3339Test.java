package com.datanadhi.hub.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.DateTimeException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Rfc3339Test {
  @Test
  void a_moment_comes_back_from_its_text() {
    for (long millis :
        new long[] {
          0, 999, 1_000, -1, -62_167_219_200_000L, 1_796_095_845_007L, 1_796_095_845_099L
        }) {
      String text = Rfc3339.text(millis);
      assertThat(text).endsWith("Z").hasSize(24);
      assertThat(Rfc3339.millis(text)).as(text).isEqualTo(millis);
      assertThat(Instant.parse(text).toEpochMilli()).as(text).isEqualTo(millis);
    }
  }

  @Test
  void a_moment_in_another_form_is_understood() {
    assertThat(Rfc3339.millis("2026-12-01T00:00:00Z"))
        .isEqualTo(Rfc3339.millis("2026-12-01T00:00:00.000Z"));
    assertThat(Rfc3339.millis("2026-12-01T00:00:00.0019Z"))
        .isEqualTo(Rfc3339.millis("2026-12-01T00:00:00.001Z"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "2026-12-01T00:00:00.0 0Z",
        "2026-12-01T00:00:00.0-1Z",
        "2026-12-01T00:00:00.000z ",
        "2026-12-01T00:00:00.000+",
        "2026-12-01T00:00:00.00\u0660Z",
        "2026-13-01T00:00:00.000Z"
      })
  void what_is_no_moment_is_refused(String text) {
    // Its second is the one that was asked for last.
    String _ = Rfc3339.text(Instant.parse("2026-12-01T00:00:00Z").toEpochMilli());
    assertThatThrownBy(() -> Rfc3339.millis(text)).isInstanceOf(DateTimeException.class);
  }
}
