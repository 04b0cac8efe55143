package com.datanadhi.logging;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonFormatterTest {
  private static final String HEAD = "{\"time\":\"2026-11-21T10:00:00.007Z\",\"level\":\"INFO\",";

  private final JsonFormatter formatter = new JsonFormatter();

  private static LogRecord line(Level level, String message, @Nullable Object... parameters) {
    LogRecord line = new LogRecord(level, message);
    line.setInstant(Instant.parse("2026-11-21T10:00:00.007999Z"));
    line.setLoggerName("io.library");
    line.setParameters(parameters);
    return line;
  }

  private static Map<String, @Nullable Object> fields(Object... pairs) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      fields.put(String.valueOf(pairs[i]), pairs[i + 1]);
    }
    return fields;
  }

  @Test
  void an_event_has_time_level_name_and_its_fields_in_their_order() {
    Object values = fields("n", 1, "l", 1L << 40, "d", 0.5, "b", true, "s", "text", "p", Level.OFF);
    assertThat(formatter.format(line(Level.INFO, "server_up", values)))
        .isEqualTo(
            HEAD
                + "\"event\":\""
                + "server_up"
                + "\",\"n\":1,\"l\":1099511627776,\"d\":0.5,\"b\":true,"
                + "\"s\":\"text\",\"p\":\"OFF\"}\n");
  }

  @ParameterizedTest
  @CsvSource({
    "1970-01-01T00:00:00Z, 1970-01-01T00:00:00.000Z",
    "2024-02-29T23:59:59.999999999Z, 2024-02-29T23:59:59.999Z",
    "2026-06-21T12:00:00.5Z, 2026-06-21T12:00:00.500Z"
  })
  void the_time_is_rfc_3339_in_utc_with_milliseconds(Instant instant, String time) {
    LogRecord line = line(Level.INFO, "e", fields());
    line.setInstant(instant);
    assertThat(formatter.format(line)).startsWith("{\"time\":\"" + time + "\"");
  }

  @Test
  void a_record_of_a_library_becomes_an_event() {
    assertThat(formatter.format(line(Level.INFO, "hello {0}", "you")))
        .isEqualTo(
            HEAD
                + "\"event\":\""
                + "library_log"
                + "\",\"logger\":\"io.library\",\"message\":\"hello you\"}\n");
    LogRecord bare = line(Level.INFO, "no {0} parameters");
    bare.setParameters(null);
    assertThat(formatter.format(bare)).contains("\"message\":\"no {0} parameters\"");
  }

  @Test
  void a_failure_comes_with_its_stack() {
    LogRecord line = line(Level.SEVERE, "broken", fields("a", 1));
    line.setThrown(new IllegalStateException("why\nnot", new RuntimeException("root")));
    assertThat(formatter.format(line))
        .contains("\"level\":\"SEVERE\",\"event\":\"broken\",\"a\":1,")
        .contains("\"failure\":\"java.lang.IllegalStateException: why\\nnot\"")
        .contains("\"stack\":\"java.lang.IllegalStateException: why\\nnot\\n\\tat ")
        .contains("Caused by: java.lang.RuntimeException: root");
  }

  @Test
  void an_event_is_one_line_whatever_its_fields_contain() {
    String nasty = "a\nb\r\n\"c\"\\\u0000\u001f\u007f";
    LogRecord event = line(Level.INFO, "e", fields("k\n\"", nasty));
    event.setThrown(new RuntimeException(nasty));
    LogRecord library = line(Level.INFO, nasty);
    library.setLoggerName(nasty);
    for (LogRecord line : new LogRecord[] {event, library}) {
      String text = formatter.format(line);
      assertThat(text).endsWith("}\n");
      assertThat(text.chars().filter(c -> c < 0x20).toArray()).containsExactly('\n');
      assertThat(text).contains("a\\nb\\r\\n\\\"c\\\"\\\\\\u0000\\u001F");
    }
  }
}
