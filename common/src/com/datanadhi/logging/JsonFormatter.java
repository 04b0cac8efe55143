package com.datanadhi.logging;

import com.datanadhi.json.ControlCharacters;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.logging.Formatter;
import java.util.logging.LogRecord;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// Formats each log record as one line with a JSON object: `time` (RFC 3339, UTC, milliseconds),
/// `level`, `event`, then the event's fields.
///
/// A record of a library becomes the event `library_log` with the fields `logger` and `message`, so
/// that all lines of a session log have the same form. Thread-safe.
public final class JsonFormatter extends Formatter {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private final JsonFactory json =
      JsonFactory.builder().characterEscapes(new ControlCharacters()).build();

  @Override
  public String format(LogRecord line) {
    StringWriter out = new StringWriter(256);
    try (JsonGenerator object = json.createGenerator(ObjectWriteContext.empty(), out)) {
      object.writeStartObject();
      object.writeStringProperty("time", TIME.format(Instant.ofEpochMilli(line.getMillis())));
      object.writeStringProperty("level", line.getLevel().getName());
      Object[] parameters = line.getParameters();
      if (parameters != null
          && parameters.length == 1
          && parameters[0] instanceof Map<?, ?> fields) {
        object.writeStringProperty("event", line.getMessage());
        fields.forEach((name, value) -> writeField(object, String.valueOf(name), value));
      } else {
        object.writeStringProperty("event", "library_log");
        object.writeStringProperty("logger", String.valueOf(line.getLoggerName()));
        object.writeStringProperty("message", formatMessage(line));
      }
      if (line.getThrown() != null) {
        object.writeStringProperty("failure", String.valueOf(line.getThrown()));
        object.writeStringProperty("stack", stackOf(line.getThrown()));
      }
      object.writeEndObject();
    }
    return out.append('\n').toString();
  }

  private static void writeField(JsonGenerator object, String name, @Nullable Object value) {
    object.writeName(name);
    // A switch by type would be compiled at run time at each start (docs/performance-log.md).
    if (value == null || value instanceof Number || value instanceof Boolean) {
      object.writeRawValue(String.valueOf(value));
    } else {
      object.writeString(String.valueOf(value));
    }
  }

  private static String stackOf(Throwable thrown) {
    StringWriter stack = new StringWriter();
    thrown.printStackTrace(new PrintWriter(stack));
    return stack.toString();
  }
}
