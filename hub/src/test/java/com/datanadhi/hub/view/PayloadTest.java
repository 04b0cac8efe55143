package com.datanadhi.hub.view;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PayloadTest {
  @TempDir Path directory;

  private static List<byte[]> payloads() {
    List<byte[]> payloads = new ArrayList<>();
    for (String text :
        List.of(
            "null",
            "0",
            "-0",
            "1e999999",
            "9007199254740993",
            "\"\"",
            " {} ",
            "\t\r\n[ 1 , 2 ]\n\r\t ",
            "{\"a\":1,\"a\":2}",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"\\uD83D\\uDE00\"",
            "\"é ü 漢字 😀\"",
            "{\"ключ\":\"значение\"}",
            "\"\u007f\"",
            "\"\u2028\u2029\"",
            "\"\ufeff\"",
            "\"'; DROP TABLE events; --\"",
            "\"\uffff\"",
            "[".repeat(1_000) + "]".repeat(1_000),
            "\"" + "x".repeat((4 << 20) - 2) + "\"")) {
      payloads.add(text.getBytes(UTF_8));
    }
    Random random = new Random(5);
    for (int i = 0; i < 200; i++) {
      ByteArrayOutputStream text = new ByteArrayOutputStream();
      text.write('"');
      for (int n = random.nextInt(300); n > 0; n--) {
        int c = 0x23 + random.nextInt(0x10FF00);
        if (Character.isDefined(c) && (c < 0xD800 || c > 0xDFFF) && c != '\\') {
          text.writeBytes(Character.toString(c).getBytes(UTF_8));
        }
      }
      text.write('"');
      payloads.add(text.toByteArray());
    }
    return payloads;
  }

  @Test
  void every_payload_comes_back_byte_for_byte() throws Exception {
    List<byte[]> payloads = payloads();
    try (TenantDatabases databases = new TenantDatabases(directory, 64)) {
      String _ =
          databases.write(
              "acme",
              writer -> {
                for (byte[] payload : payloads) {
                  ViewState next = Rows.next(writer.state());
                  writer.insertEvent(Rows.event(next.seq(), 1, "[\"\\u0000é\"]", payload));
                  writer.saveState(next);
                }
                return "";
              });
    }
    try (TenantDatabases databases = new TenantDatabases(directory, 64)) {
      List<StoredEvent> stored = databases.read("acme", Rows::all);
      assertThat(stored).hasSameSizeAs(payloads);
      for (int i = 0; i < payloads.size(); i++) {
        assertThat(stored.get(i).logData()).isEqualTo(payloads.get(i));
        assertThat(stored.get(i).pipelines()).isEqualTo("[\"\\u0000é\"]");
      }
    }
  }

  @Test
  void any_key_is_found() throws Exception {
    List<String> keys = new ArrayList<>();
    for (char c = 0x21; c <= 0x7E; c++) {
      keys.add("k" + c + c);
      keys.add(String.valueOf(c));
    }
    keys.add("\"\\".repeat(127));
    try (TenantDatabases databases = new TenantDatabases(directory, 64)) {
      String _ =
          databases.write(
              "acme",
              writer -> {
                for (String key : keys) {
                  writer.putApplied(Rows.applied(key, 1, 1));
                }
                return "";
              });
      List<String> asked = new ArrayList<>(keys);
      asked.add("none");
      List<String> found =
          databases.read("acme", reader -> List.copyOf(reader.applied(asked).keySet()));
      assertThat(found).containsExactlyInAnyOrderElementsOf(keys);
    }
  }
}
