package com.datanadhi.hub.query;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.view.EventLine;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class RecordLineTest {
  private static EventLine event(String logData) {
    return new EventLine(
        7,
        "k\"\\-1".getBytes(UTF_8),
        1_700_000_000_042L,
        "[\"a\",\"b\"]".getBytes(UTF_8),
        logData.getBytes(UTF_8));
  }

  private static String line(String logData) {
    return new String(RecordLine.encode(event(logData)), UTF_8);
  }

  @Test
  void log_data_stands_in_the_line_as_it_came() {
    assertThat(line("{\"x\" : 1.0e0,\t\"x\":2}"))
        .isEqualTo(
            "{\"seq\":7,\"key\":\"k\\\"\\\\-1\",\"received_at\":\"2023-11-14T22:13:20.042Z\","
                + "\"pipelines\":[\"a\",\"b\"],\"log_data\":{\"x\" : 1.0e0,\t\"x\":2}}\n");
  }

  @Test
  void line_ends_become_spaces_and_log_text_has_the_bytes() {
    assertThat(line("{\n\"a\":\r\n\t\"\u00e4\\n\"}"))
        .endsWith(
            "\"log_data\":{ \"a\":  \t\"\u00e4\\n\"},"
                + "\"log_text\":\"{\\n\\\"a\\\":\\r\\n\\t\\\"\u00e4\\\\n\\\"}\"}\n");
  }

  @Test
  void a_record_of_a_pipeline_has_its_number() {
    JsonText lines = new JsonText();
    RecordLine.add(lines, new PipelineRecord(3, event("1")));
    assertThat(lines.toString())
        .startsWith("{\"seq\":7,\"n\":3,\"key\":")
        .endsWith("\"log_data\":1}\n");
  }

  @Test
  void times_have_three_decimals_whatever_was_asked_for_before() {
    assertThat(RecordLine.time(0)).isEqualTo("1970-01-01T00:00:00.000Z");
    assertThat(RecordLine.time(-1)).isEqualTo("1969-12-31T23:59:59.999Z");
    assertThat(RecordLine.time(-1_000)).isEqualTo("1969-12-31T23:59:59.000Z");
    assertThat(RecordLine.time(1_700_000_000_012L)).isEqualTo("2023-11-14T22:13:20.012Z");
    assertThat(RecordLine.time(1_700_000_000_345L)).isEqualTo("2023-11-14T22:13:20.345Z");
    assertThat(RecordLine.time(1_700_000_001_000L)).isEqualTo("2023-11-14T22:13:21.000Z");
  }

  @Test
  void each_line_is_one_line_of_json_that_gives_the_payload_back() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    String[] parts = {"\n", "\r", " ", "\t", "\"\\\"\u20ac\"", "1", "null", "\"\\u000a\""};
    for (int i = 0; i < 500; i++) {
      StringBuilder text = new StringBuilder("[0");
      for (int part = 0; part < 20; part++) {
        text.append(random.nextBoolean() ? "\n" : " ").append(',');
        text.append(parts[random.nextInt(4)]).append(parts[4 + random.nextInt(4)]);
      }
      String logData = text.append(']').toString();
      String line = line(logData);
      assertThat(line.indexOf('\n')).as("seed %s", seed).isEqualTo(line.length() - 1);
      assertThat(line).as("seed %s", seed).doesNotContain("\r");
      JsonNode node = JsonMapper.shared().readTree(line);
      String stored = node.has("log_text") ? node.get("log_text").asString() : logData;
      assertThat(stored).as("seed %s", seed).isEqualTo(logData);
      assertThat(node.get("log_data"))
          .as("seed %s", seed)
          .isEqualTo(JsonMapper.shared().readTree(logData));
    }
  }
}
