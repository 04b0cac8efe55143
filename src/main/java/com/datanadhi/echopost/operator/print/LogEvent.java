package com.datanadhi.echopost.operator.print;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;

/// One line of a session log.
///
/// @param fields its members as text, in their order
public record LogEvent(Map<String, String> fields) {
  /// Parses a line.
  ///
  /// @return null if it is not a complete event: a crash can truncate the last line
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
    } catch (JacksonException incomplete) {
      return null;
    }
  }

  /// The value of `field`; empty if there is none.
  public String get(String field) {
    return fields.getOrDefault(field, "");
  }

  /// Whether this event is called `event`.
  public boolean is(String event) {
    return get("event").equals(event);
  }

  /// The event as a line for a terminal.
  public String text(Terminal terminal) {
    String rest =
        fields.entrySet().stream()
            .filter(field -> !field.getKey().matches("time|level|event"))
            .map(field ->
                terminal.styled(AnsiStyle.FAINT, field.getKey() + "=")
                    + quotedIfNeeded(field.getValue()))
            .collect(Collectors.joining(" "));
    String level = "%-7s".formatted(get("level"));
    String styledLevel =
        switch (get("level")) {
          case "SEVERE" -> terminal.styled(AnsiStyle.RED, level);
          case "WARNING" -> terminal.styled(AnsiStyle.YELLOW, level);
          default -> level;
        };
    return (get("time")
            + "  "
            + styledLevel
            + "  "
            + terminal.styled(AnsiStyle.BOLD, Terminal.withoutControls(get("event")))
            + "  "
            + rest)
        .stripTrailing();
  }

  private static String quotedIfNeeded(String value) {
    String printable = Terminal.withoutControls(value);
    return printable.isEmpty() || printable.contains(" ") || printable.contains("\"")
        ? "\"" + printable.replace("\"", "\\\"") + "\""
        : printable;
  }
}
