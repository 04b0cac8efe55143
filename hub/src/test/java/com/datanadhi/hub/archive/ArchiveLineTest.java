package com.datanadhi.hub.archive;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.view.StoredEvent;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArchiveLineTest {
  private static final String LINE =
      "{\"seq\":7,\"key\":\"k\\\"-1\",\"part\":2,\"received_at\":\"2023-11-14T22:13:20.042Z\","
          + "\"position\":\"0123abcd/events-0:9\",\"pipelines\":[\"a\",\"ü\"],"
          + "\"log_data\":{\"x\":1},\"durability\":\"fsync\"}";

  private final ArchiveLine lines = new ArchiveLine(new PipelineNames());

  private static StoredEvent event(String logData) {
    byte[] bytes = logData.getBytes(UTF_8);
    return new StoredEvent(
        7,
        "k\"-1",
        2,
        1_700_000_000_042L,
        "0123abcd/events-0:9",
        "[\"a\",\"ü\"]",
        bytes,
        Digests.record(bytes),
        "fsync");
  }

  private static byte[] encode(StoredEvent event) {
    JsonText text = new JsonText();
    ArchiveLine.add(text, event);
    byte[] line = text.toBytes();
    assertThat(line[line.length - 1]).isEqualTo((byte) '\n');
    return Arrays.copyOf(line, line.length - 1);
  }

  private void comesBack(String logData) {
    StoredEvent event = event(logData);
    byte[] line = encode(event);
    for (byte b : line) {
      if (b == '\n' || b == '\r') {
        throw new AssertionError("a line end within a line: " + new String(line, UTF_8));
      }
    }
    StoredEvent back = lines.decode(line);
    assertThat(Arrays.equals(back.logData(), event.logData())).isTrue();
    assertThat(back).usingRecursiveComparison().ignoringFields("logData").isEqualTo(event);
  }

  @Test
  void a_line_has_the_members_of_the_contract_in_order() {
    assertThat(new String(encode(event("{\"x\":1}")), UTF_8)).isEqualTo(LINE);
  }

  @Test
  void a_payload_with_line_ends_stands_beside_it_byte_for_byte() {
    assertThat(new String(encode(event("{\r\n\"x\":1}")), UTF_8))
        .contains(",\"log_data\":{  \"x\":1},\"log_text\":\"{\\r\\n\\\"x\\\":1}\",\"durability\":");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1e400",
        "-0.0",
        "{\"a\":1,\"a\":2}",
        " [ 1 ,\t2 ] ",
        "\"\\u0000\\/\\ud83d\\ude00\"",
        "{\n\t\"a\":\r\n\"\\\"}\\\\\",\"b\":[{},[]]}\n",
        "\"}],\\\"durability\\\":\"",
        "12345678901234567890.12345678901234567890E-7",
        "null",
        "\n1",
        "\"ü€\uD83D\uDE00\"",
      })
  void a_payload_comes_back_byte_for_byte(String logData) {
    comesBack(logData);
  }

  @Test
  void random_payloads_come_back_byte_for_byte() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    String[] parts = {"\n", "\r", " ", "\t", "\"\\\"\\\\€\"", "1e-400", "{\"\":[]}", "\"}]\""};
    for (int i = 0; i < 2_000; i++) {
      StringBuilder text = new StringBuilder("[0");
      for (int part = random.nextInt(15); part >= 0; part--) {
        text.append(random.nextInt(3) == 0 ? parts[random.nextInt(2)] : " ").append(',');
        text.append(parts[2 + random.nextInt(2)]).append(parts[4 + random.nextInt(4)]);
      }
      comesBack(text.append(']').toString());
    }
  }

  @Test
  void the_largest_record_fits_into_a_line() {
    String quotes = "\"" + "\\\"".repeat((4 << 19) - 2) + "\"\n";
    String pipelines = "[\"" + "\\u0001".repeat(4 << 20) + "\"]";
    StoredEvent event = event(quotes);
    StoredEvent large =
        new StoredEvent(
            event.seq(),
            event.key(),
            event.part(),
            event.receivedAt(),
            event.position(),
            pipelines,
            event.logData(),
            event.sha256(),
            event.durability());
    byte[] line = encode(large);
    assertThat(line.length).isLessThan(ArchiveLine.MAX_BYTES);
    StoredEvent back = lines.decode(line);
    assertThat(Arrays.equals(back.logData(), large.logData())).isTrue();
    assertThat(back.pipelines().equals(pipelines)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"seq\":7,|",
        "\"seq\":7|\"seq\":07",
        "\"seq\":7|\"seq\":0",
        "\"seq\":7|\"seq\":-7",
        "\"seq\":7|\"seq\":\"7\"",
        "\"seq\":7|\"seq\":7.0",
        "\"seq\":7|\"seq\":1234567890123456789012",
        "\"part\":2,|",
        "\"part\":2|\"part\":0",
        "\"part\":2|\"part\":3000000000",
        "\"k\\\"-1\"|\"\"",
        "\"k\\\"-1\"|\"a b\"",
        "\"k\\\"-1\"|\"\\u006b\"",
        "\"k\\\"-1\"|1",
        ".042Z|Z",
        ".042Z|.042+00:00",
        ".042Z|.0420Z",
        "2023-11-14T|2023-11-31T",
        "0123abcd/|0123ABCD/",
        "events-0:9|events-0",
        "[\"a\",\"ü\"]|[\"a\",1]",
        "[\"a\",\"ü\"]|[\"a\", \"ü\"]",
        "[\"a\",\"ü\"]|{}",
        "[\"a\",\"ü\"]|null",
        "{\"x\":1}|{\"x\":1",
        "{\"x\":1}|{\"x\":01}",
        "{\"x\":1}|",
        "{\"x\":1}|{\"x\":1},\"log_text\":\"{\\\"x\\\":1}\"",
        "{\"x\":1}|{\"x\":1},\"log_text\":\"\\n{\\\"x\\\":1}\"",
        "{\"x\":1}|{\"x\":1},\"log_text\":\"\\u007b}\"",
        "\"fsync\"|\"\"",
        "\"fsync\"|null",
        "\"fsync\"|\"fsync\",\"more\":1",
        ",\"durability\":\"fsync\"|",
        "\"fsync\"}|\"fsync\"} ",
        "\"fsync\"}|\"fsync\"",
        "{\"seq\"| {\"seq\"",
      })
  void anything_else_is_refused(String change) {
    int bar = change.indexOf('|');
    String changed = LINE.replace(change.substring(0, bar), change.substring(bar + 1));
    assertThat(changed).isNotEqualTo(LINE);
    assertThatThrownBy(() -> lines.decode(changed.getBytes(UTF_8)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void each_cut_of_a_line_is_refused() {
    byte[] line = encode(event("{\n\"x\":\"\\\\\"}"));
    for (int length = 0; length < line.length; length++) {
      byte[] cut = Arrays.copyOf(line, length);
      assertThatThrownBy(() -> lines.decode(cut)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}
