package com.datanadhi.echopost.operator.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.buffer.Appended;
import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.buffer.BufferListener;
import com.datanadhi.echopost.buffer.Rejections;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.time.ManualClock;
import java.util.List;
import org.junit.jupiter.api.Test;

class PeekCommandTest extends CommandFixture {
  @Test
  void the_next_records_are_shown_without_control_characters_and_api_keys() throws Exception {
    try (Buffer buffer = Buffer.open(target, new ManualClock(), BufferListener.NONE)) {
      Appended.store(buffer, payloads(11));
      NewRecord odd = Appended.record("{\"b\":\n\"\u009b31m\u202e\"}", "s3cret", "their-key");
      assertThat(Appended.to(buffer, odd).outcome()).hasToString("Stored[]");
    }
    assertThat(run("peek").lines())
        .hasSize(11)
        .startsWith(
            "        id  received (UTC)            bytes  pipelines             payload",
            "         1  2023-11-14T22:13:20Z          7  [\"p\"]                 {\"n\":1}");
    assertThat(run("peek -n 1 -from 12"))
        .contains("        12  ", "{\"b\": \" 31m \"}")
        .doesNotContain("s3cret");
    assertThat(json(run("peek -json -n 1 -from 12")).get("key").asString()).isEqualTo("their-key");
    assertThat(run("peek -json -full -from 12"))
        .contains("\"log_text\":\"{\\\"b\\\":\\n")
        .doesNotContain("s3cret");
    assertThat(run("peek -n 0")).startsWith("no such record");
    assertThat(run("peek -from 13")).startsWith("no such record");
  }

  @Test
  void payloads_are_shortened_without_the_flag_full_and_damaged_records_are_marked()
      throws Exception {
    String long1 = "\"" + "é".repeat(100) + "\"";
    createBuffer(long1, "2");
    assertThat(run("peek -n 1")).endsWith("  \"" + "é".repeat(59) + "\n");
    assertThat(run("peek -n 1 -full")).endsWith("  " + long1 + "\n");
    execute("UPDATE records SET json_data='{}' WHERE id=2");
    assertThat(run("peek -from 2")).endsWith("[damaged] {}\n");
    assertThat(json(run("peek -json -full -from 2")).get("sound").asBoolean()).isFalse();
    isTerminal = true;
    assertThat(run("peek -from 2")).contains("\u001b[31m[damaged] \u001b[0m");
  }

  @Test
  void rejected_records_are_shown_with_their_status() throws Exception {
    createBuffer("1", "2");
    Rejections.rejectAll(target, 422);
    assertThat(run("peek")).isEqualTo("no record is pending\n");
    assertThat(run("peek -rejected")).hasLineCount(3).contains("status  payload", "   422  1\n");
    assertThat(json(run("peek -rejected -n 1 -json")).get("status").asInt()).isEqualTo(422);
  }

  @Test
  void pipelines_are_shortened_to_their_column() throws Exception {
    createBuffer("1");
    execute("UPDATE records SET pipelines='[\"" + "é".repeat(30) + "\"]'");
    assertThat(run("peek"))
        .contains("  [\"" + "é".repeat(17) + "…  ")
        .hasLineCount(2)
        .doesNotContain("é".repeat(18));
    assertThat(run("peek -full")).contains("[\"" + "é".repeat(30) + "\"]");
  }

  @Test
  void json_output_contains_no_character_that_controls_a_terminal() throws Exception {
    String odd = "\u009b31m\u007f\u202eé\u2028";
    try (Buffer buffer = Buffer.open(target, new ManualClock(), BufferListener.NONE)) {
      NewRecord record =
          new NewRecord(
              0,
              ("{\"" + odd + "\":1}").getBytes(UTF_8),
              ("[\"" + odd + "\"]").getBytes(UTF_8),
              new byte[0],
              null);
      assertThat(Appended.to(buffer, record).outcome()).hasToString("Stored[]");
    }
    String exported = run("export");
    assertThat(exported).contains("\"log_data\":{\"" + odd + "\":1}");
    isTerminal = true;
    for (String command : List.of("peek -json", "peek -json -full", "export")) {
      String line = run(command);
      assertThat(line).contains("\\u009b31m\\u007f\\u202eé\\u2028").doesNotContain(odd);
      assertThat(json(line).get("pipelines").get(0).asString()).isEqualTo(odd);
    }
    Rejections.rejectAll(target, 422);
    assertThat(run("rejected -json")).contains("\\u009b31m").doesNotContain("\u009b");
  }
}
