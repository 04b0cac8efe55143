package com.datanadhi.echopost.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchAnswerTest {
  @Test
  void all_lines_are_stored() {
    assertThat(BatchAnswer.parse("{\"stored\":3,\"errors\":[]}", 3).errors()).isEmpty();
    assertThat(
            BatchAnswer.parse(
                    " { \"errors\" : [ ] , \"more\":{\"stored\":9}, \"stored\" : 3 } \n", 3)
                .errors())
        .isEmpty();
  }

  @Test
  void errors_are_in_the_order_of_their_lines_and_keep_the_text_of_the_server() {
    String second = "{\"line\":2,\"status\":422,\"title\":\"Kn\\u00f6wn\",\"detail\":\"é\"}";
    String third = "{ \"status\":400, \"line\":3 }";
    assertThat(
            BatchAnswer.parse("{\"stored\":1,\"errors\":[" + third + "," + second + "]}", 3)
                .errors())
        .containsExactly(
            new BatchAnswer.LineError(2, 422, second), new BatchAnswer.LineError(3, 400, third));
  }

  @Test
  void every_line_can_be_an_error() {
    assertThat(
            BatchAnswer.parse("{\"stored\":0,\"errors\":[{\"line\":1,\"status\":413}]}", 1)
                .errors())
        .hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ok",
        "[]",
        "null",
        "{}",
        "{\"stored\":2}",
        "{\"errors\":[]}",
        "{\"stored\":2,\"errors\":[]",
        "{\"stored\":2,\"errors\":[]}}",
        "{\"stored\":2,\"errors\":[]}{}",
        "{\"stored\":2,\"stored\":2,\"errors\":[]}",
        "{\"stored\":2,\"errors\":[],\"errors\":[]}",
        "{\"stored\":3,\"errors\":[]}",
        "{\"stored\":1,\"errors\":[]}",
        "{\"stored\":-2,\"errors\":[]}",
        "{\"stored\":2.0,\"errors\":[]}",
        "{\"stored\":2e0,\"errors\":[]}",
        "{\"stored\":\"2\",\"errors\":[]}",
        "{\"stored\":99999999999999999999,\"errors\":[]}",
        "{\"stored\":2,\"errors\":{}}",
        "{\"stored\":2,\"errors\":null}",
        "{\"stored\":1,\"errors\":[1]}",
        "{\"stored\":1,\"errors\":[{\"line\":1}]}",
        "{\"stored\":1,\"errors\":[{\"status\":422}]}",
        "{\"stored\":1,\"errors\":[{\"line\":0,\"status\":422}]}",
        "{\"stored\":1,\"errors\":[{\"line\":3,\"status\":422}]}",
        "{\"stored\":1,\"errors\":[{\"line\":-1,\"status\":422}]}",
        "{\"stored\":0,\"errors\":[{\"line\":1,\"status\":422},{\"line\":1,\"status\":422}]}",
        "{\"stored\":2,\"errors\":[{\"line\":1,\"status\":422}]}",
        "{\"stored\":1,\"errors\":[{\"line\":1,\"line\":2,\"status\":422}]}",
        "{\"stored\":1,\"errors\":[{\"line\":1,\"status\":200}]}",
        "{\"stored\":1,\"errors\":[{\"line\":1,\"status\":302}]}",
        "{\"stored\":1,\"errors\":[{\"line\":1,\"status\":401}]}",
        "{\"stored\":1,\"errors\":[{\"line\":1,\"status\":404}]}",
        "{\"stored\":1,\"errors\":[{\"line\":1,\"status\":408}]}",
        "{\"stored\":1,\"errors\":[{\"line\":1,\"status\":425}]}",
        "{\"stored\":1,\"errors\":[{\"line\":1,\"status\":429}]}",
        "{\"stored\":1,\"errors\":[{\"line\":1,\"status\":500}]}",
        "{\"stored\":1,\"errors\":[{\"line\":1,\"status\":503}]}",
        "{\"stored\":1,\"errors\":[{\"line\":1,\"status\":422},]}",
        "{\"stored\":2,\"errors\":[],\"x\":\"\\uD800\u0001\"}",
      })
  void anything_else_is_unreadable(String body) {
    assertThatThrownBy(() -> BatchAnswer.parse(body, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .message()
        .isNotBlank();
  }

  @Test
  void every_cut_of_an_answer_is_unreadable() {
    String whole = "{\"stored\":1,\"errors\":[{\"line\":2,\"status\":422,\"title\":\"t\"}]}";
    for (int end = 0; end < whole.length(); end++) {
      String cut = whole.substring(0, end);
      assertThatThrownBy(() -> BatchAnswer.parse(cut, 2))
          .as(cut)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void deep_nesting_ends_with_the_same_error() {
    assertThatThrownBy(() -> BatchAnswer.parse("{\"x\":" + "[".repeat(1 << 20), 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"stored\":0,\"errors\":[%s0]}",
        "{%s\"stored\":1,\"errors\":[]}",
        "{\"stored\":0,\"errors\":[{%s\"line\":1,\"status\":422}]}"
      })
  void an_answer_of_many_small_parts_is_unreadable(String frame) {
    String part = frame.contains("[%s") ? "0," : "\"x\":0,";
    String body = frame.formatted(part.repeat(300_000));
    assertThatThrownBy(() -> BatchAnswer.parse(body, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("more than");
  }

  @Test
  void random_changes_are_either_unreadable_or_consistent() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    String whole =
        "{\"stored\":8,\"errors\":[{\"line\":2,\"status\":422},{\"line\":9,\"status\":400}]}";
    int readable = 0;
    for (int i = 0; i < 50_000; i++) {
      StringBuilder changed = new StringBuilder(whole);
      for (int change = random.nextInt(3); change >= 0; change--) {
        changed.setCharAt(
            random.nextInt(whole.length()),
            "0123456789{}[],:\" x\u00e9\u0000".charAt(random.nextInt(21)));
      }
      BatchAnswer answer;
      try {
        answer = BatchAnswer.parse(changed.toString(), 10);
      } catch (IllegalArgumentException unreadable) {
        continue;
      }
      readable++;
      assertThat(answer.errors()).as("seed %s: %s", seed, changed).hasSize(2);
      assertThat(answer.errors())
          .as("seed %s: %s", seed, changed)
          .allMatch(error -> error.line() >= 1 && error.line() <= 10)
          .allMatch(error -> error.status() >= 400 && error.status() < 500);
    }
    assertThat(readable).as("seed %s", seed).isPositive();
  }
}
