package com.datanadhi.echopost.operator.print;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;

/// A line of a session's log.
///
/// @param fields all of its members, as text, in their order
public record LogEvent(Map<String, String> fields) {
  /// Reads a line.
  ///
  /// @return null when it is none, as one that was cut short by a crash
  public static @Nullable LogEvent parse(String line) {
    Map<String, String> fields = new LinkedHashMap<>();
    try (JsonParser parser = JsonOutput.FACTORY.createParser(ObjectReadContext.empty(), line)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        return null;
      }
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = parser.currentName();
        JsonToken value = parser.nextToken();
        if (!value.isScalarValue()) {
          return null;
        }
        fields.put(name, parser.getString());
      }
      return new LogEvent(fields);
    } catch (JacksonException cut) {
      return null;
    }
  }

  String get(String field) {
    return fields.getOrDefault(field, "");
  }

  boolean is(String event) {
    return get("event").equals(event);
  }

  /// The line for a person.
  public String text(Terminal terminal) {
    String rest =
        fields.entrySet().stream()
            .filter(field -> !field.getKey().matches("time|level|event"))
            .map(field ->
                terminal.paint(AnsiStyle.FAINT, field.getKey() + "=")
                    + quotedIfNeeded(field.getValue()))
            .collect(Collectors.joining(" "));
    String level = "%-7s".formatted(get("level"));
    String painted =
        switch (get("level")) {
          case "SEVERE" -> terminal.paint(AnsiStyle.BAD, level);
          case "WARNING" -> terminal.paint(AnsiStyle.ODD, level);
          default -> level;
        };
    return (get("time")
            + "  "
            + painted
            + "  "
            + terminal.paint(AnsiStyle.STRONG, Terminal.plain(get("event")))
            + "  "
            + rest)
        .stripTrailing();
  }

  private static String quotedIfNeeded(String value) {
    String plain = Terminal.plain(value);
    return plain.isEmpty() || plain.contains(" ") || plain.contains("\"")
        ? "\"" + plain.replace("\"", "\\\"") + "\""
        : plain;
  }
}
