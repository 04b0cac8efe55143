package com.datanadhi.sdk.internal.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchAnswerTest {
  private static BatchAnswer parse(String body) throws IOException {
    return BatchAnswer.parse(body.getBytes(StandardCharsets.UTF_8), 3);
  }

  @Test
  void every_line_is_stored_or_has_a_final_status() throws Exception {
    assertThat(parse("{\"stored\":3,\"errors\":[]}").rejected()).isEmpty();
    assertThat(
            parse(" {\"errors\" : [] , \"stored\" : 3 , \"more\" : {\"a\":[1]} }\r\n").rejected())
        .isEmpty();
    assertThat(
            parse(
                    "{\"stored\":1,\"errors\":[{\"line\":3,\"status\":413,\"title\":\"T\",\"detail\":null},"
                        + "{\"status\":422,\"line\":1}]}")
                .rejected())
        .isEqualTo(Map.of(1, 422, 3, 413));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "{}",
        "3",
        "null",
        "[]",
        "{\"stored\":3}",
        "{\"errors\":[]}",
        "{\"stored\":3,\"errors\":null}",
        "{\"stored\":3,\"errors\":{}}",
        "{\"stored\":\"3\",\"errors\":[]}",
        "{\"stored\":3.0,\"errors\":[]}",
        "{\"stored\":3e0,\"errors\":[]}",
        "{\"stored\":true,\"errors\":[]}",
        "{\"stored\":2,\"errors\":[]}",
        "{\"stored\":4,\"errors\":[]}",
        "{\"stored\":4294967299,\"errors\":[]}",
        "{\"stored\":3,\"stored\":3,\"errors\":[]}",
        "{\"stored\":3,\"errors\":[],\"errors\":[]}",
        "{\"stored\":3,\"errors\":[]} x",
        "{\"stored\":3,\"errors\":[]}{}",
        "{\"stored\":3,\"errors\":[],}",
        "{'stored':3,'errors':[]}",
        "{\"stored\":3,\"errors\":[{\"line\":1,\"status\":422}]}",
        "{\"stored\":1,\"errors\":[{\"line\":1,\"status\":422},{\"line\":1,\"status\":422}]}",
        "{\"stored\":2,\"errors\":[{\"line\":0,\"status\":422}]}",
        "{\"stored\":2,\"errors\":[{\"line\":4,\"status\":422}]}",
        "{\"stored\":2,\"errors\":[{\"line\":-1,\"status\":422}]}",
        "{\"stored\":2,\"errors\":[{\"line\":1}]}",
        "{\"stored\":2,\"errors\":[{\"status\":422}]}",
        "{\"stored\":2,\"errors\":[{\"line\":1,\"line\":2,\"status\":422}]}",
        "{\"stored\":2,\"errors\":[1]}",
        "{\"stored\":2,\"errors\":[{\"line\":1,\"status\":200}]}",
        "{\"stored\":2,\"errors\":[{\"line\":1,\"status\":302}]}",
        "{\"stored\":2,\"errors\":[{\"line\":1,\"status\":401}]}",
        "{\"stored\":2,\"errors\":[{\"line\":1,\"status\":429}]}",
        "{\"stored\":2,\"errors\":[{\"line\":1,\"status\":500}]}",
        "{\"stored\":2,\"errors\":[{\"line\":1,\"status\":503}]}",
      })
  void any_other_answer_counts_for_nothing(String body) {
    assertThatIOException()
        .isThrownBy(() -> parse(body))
        .satisfies(unreadable -> assertThat(unreadable.getMessage()).isNotBlank().hasLineCount(1));
  }

  @Test
  void an_answer_that_is_not_utf_8_too_deep_or_too_long_counts_for_nothing() {
    byte[] latin1 =
        "{\"stored\":3,\"errors\":[],\"x\":\"é\"}".getBytes(StandardCharsets.ISO_8859_1);
    assertThatIOException()
        .isThrownBy(() -> BatchAnswer.parse(latin1, 3))
        .withMessageContaining("UTF-8");
    String deep = "{\"stored\":3,\"errors\":[],\"x\":" + "[".repeat(50) + "]".repeat(50) + "}";
    assertThatIOException().isThrownBy(() -> parse(deep));
    String longText = "{\"stored\":3,\"errors\":[]" + " ".repeat(BatchAnswer.MAX_BYTES) + "}";
    assertThatIOException().isThrownBy(() -> parse(longText));
  }
}
