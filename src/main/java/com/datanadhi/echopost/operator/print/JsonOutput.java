package com.datanadhi.echopost.operator.print;

import com.datanadhi.json.ControlCharacters;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.Consumer;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// Output for scripts: JSON Lines, one object per line.
public final class JsonOutput {
  static final JsonFactory FACTORY =
      JsonFactory.builder().characterEscapes(new ControlCharacters()).build();

  private JsonOutput() {}

  /// One object with the members that `members` writes, and a line end.
  static byte[] line(Consumer<JsonGenerator> members) {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    try (JsonGenerator object = FACTORY.createGenerator(ObjectWriteContext.empty(), line)) {
      object.writeStartObject();
      members.accept(object);
      object.writeEndObject();
    }
    line.write('\n');
    return line.toByteArray();
  }

  /// The name of an enum constant in lower case.
  public static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  /// Prints one object with the members that `members` writes.
  public static void print(PrintStream out, Consumer<JsonGenerator> members) {
    out.writeBytes(line(members));
  }
}
