package com.datanadhi.echopost.operator;

import java.io.PrintStream;
import java.util.function.Consumer;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// What commands print for scripts: an object a line.
final class Json {
  static final JsonFactory FACTORY = new JsonFactory();

  private Json() {}

  /// Prints one object, whose members `members` writes.
  static void print(PrintStream out, Consumer<JsonGenerator> members) {
    java.io.ByteArrayOutputStream line = new java.io.ByteArrayOutputStream();
    try (JsonGenerator object = FACTORY.createGenerator(ObjectWriteContext.empty(), line)) {
      object.writeStartObject();
      members.accept(object);
      object.writeEndObject();
    }
    line.write('\n');
    out.writeBytes(line.toByteArray());
  }
}
