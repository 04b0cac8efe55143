package com.datanadhi.hub.otlp;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.json.JsonValidator;
import com.google.protobuf.Descriptors.Descriptor;
import io.opentelemetry.proto.common.v1.InstrumentationScope;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.resource.v1.Resource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;

/// Reads a request in JSON. No tree is built: the texts of log records, resources and scopes are
/// cut out of the body, with all their members, also those that are not known.
final class JsonLogs {
  // The body is bounded, and its nesting by JsonValidator.
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(Integer.MAX_VALUE)
                  .maxNumberLength(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNameLength(Integer.MAX_VALUE)
                  .build())
          .build();

  private static final byte[] BEGIN = "{\"resourceLogs\":[{".getBytes(UTF_8);
  private static final byte[] SCOPES = "\"scopeLogs\":[{".getBytes(UTF_8);
  private static final byte[] RECORDS = "\"logRecords\":[".getBytes(UTF_8);
  private static final byte[] END = "]}]}]}".getBytes(UTF_8);

  private final byte[] body;
  private final LogsCollector logs;

  JsonLogs(byte[] body, LogsCollector logs) {
    this.body = body;
    this.logs = logs;
  }

  /// A value in the body.
  private record Span(int from, int to) {}

  /// The members of an object but for the array of what it contains, each with a comma behind it.
  private static final class Members {
    final JsonText text = new JsonText();
    @Nullable Span described;
  }

  private record Scope(Members members, List<Span> records) {}

  /// Reads an element of an array, at which the parser stands.
  @FunctionalInterface
  private interface Element {
    void read() throws RequestException;
  }

  void read() throws RequestException {
    String problem = JsonValidator.problem(body);
    if (problem != null) {
      throw malformed("The body must be JSON by RFC 8259 in UTF-8: " + problem);
    }
    try (JsonParser parser = parser(0, body.length)) {
      JsonToken _ = parser.nextToken();
      beginObject(parser, "The body");
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        JsonToken _ = parser.nextToken();
        if (name.equals("resourceLogs")) {
          array(parser, name, () -> resourceLogs(parser));
        } else {
          refuseSnakeCase(name, "resource_logs", "resourceLogs");
          JsonParser _ = parser.skipChildren();
        }
      }
    }
  }

  private void resourceLogs(JsonParser parser) throws RequestException {
    beginObject(parser, "An element of resourceLogs");
    Members members = new Members();
    List<Scope> scopes = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      if (!member(parser, members, "resource", "scopeLogs", "scope_logs")) {
        array(parser, "scopeLogs", () -> scopes.add(scopeLogs(parser)));
      }
    }
    LogsCollector.Pipelines pipelines = new LogsCollector.Pipelines(logs.memory());
    String problem = problem(members.described, Resource.getDescriptor());
    if (problem.isEmpty() && members.described != null) {
      pipelines(members.described, pipelines);
      problem = pipelines.problem();
    }
    for (Scope scope : scopes) {
      if (!scope.records().isEmpty()) {
        add(members, scope, pipelines, problem);
      }
    }
  }

  private Scope scopeLogs(JsonParser parser) throws RequestException {
    beginObject(parser, "An element of scopeLogs");
    logs.memory().take(512); // what an empty one takes
    Scope scope = new Scope(new Members(), new ArrayList<>());
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      if (!member(parser, scope.members(), "scope", "logRecords", "log_records")) {
        array(
            parser,
            "logRecords",
            () -> {
              logs.announce();
              scope.records().add(span(parser));
            });
      }
    }
    return scope;
  }

  /// Keeps a member, unless it is the array of what the object contains: then the parser stands at
  /// its value.
  ///
  /// @return whether it was kept
  private boolean member(
      JsonParser parser, Members members, String described, String contained, String snakeCase)
      throws RequestException {
    String name = parser.currentName();
    int from = (int) parser.currentTokenLocation().getByteOffset();
    JsonToken _ = parser.nextToken();
    if (name.equals(contained)) {
      return false;
    }
    refuseSnakeCase(name, snakeCase, contained);
    Span value = span(parser);
    if (name.equals(described)) {
      members.described = value;
    }
    int before = members.text.length();
    members.text.raw(Arrays.copyOfRange(body, from, value.to())).raw(",");
    logs.memory().take(members.text.length() - before);
    return true;
  }

  private void add(Members resource, Scope scope, LogsCollector.Pipelines pipelines, String why)
      throws RequestException {
    String outer = why;
    if (outer.isEmpty()) {
      outer = problem(scope.members().described, InstrumentationScope.getDescriptor());
    }
    byte[] begin =
        new JsonText()
            .raw(BEGIN)
            .raw(resource.text.toBytes())
            .raw(SCOPES)
            .raw(scope.members().text.toBytes())
            .raw(RECORDS)
            .toBytes();
    for (Span record : scope.records()) {
      int length = record.to() - record.from();
      String problem = outer;
      if (problem.isEmpty()) {
        problem = problem(record, LogRecord.getDescriptor());
      }
      int size = begin.length + length + END.length;
      if (problem.isEmpty() && size > LogsCollector.MAX_BYTES) {
        problem = LogsCollector.TOO_LARGE;
      }
      logs.memory().take(size);
      byte[] text = Arrays.copyOf(begin, size);
      System.arraycopy(body, record.from(), text, begin.length, length);
      System.arraycopy(END, 0, text, begin.length + length, END.length);
      if (problem.isEmpty()) {
        logs.add(pipelines, text);
      } else {
        logs.addBad(text, problem);
      }
    }
  }

  /// What is wrong with a message, or the empty string.
  private String problem(@Nullable Span value, Descriptor type) {
    if (value == null) {
      return "";
    }
    try (JsonParser parser = parser(value)) {
      String problem = JsonCheck.problem(parser, type);
      return problem == null ? "" : problem;
    }
  }

  /// Reads the pipelines of a resource that was checked.
  private void pipelines(Span resource, LogsCollector.Pipelines pipelines) throws RequestException {
    try (JsonParser parser = parser(resource)) {
      if (parser.currentToken() == JsonToken.VALUE_NULL) {
        return;
      }
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        JsonToken _ = parser.nextToken();
        if (name.equals("attributes")) {
          array(
              parser,
              name,
              () -> {
                Span value = valueOfPipelines(parser, resource.from());
                if (value != null) {
                  value(value, pipelines);
                }
              });
        } else {
          JsonParser _ = parser.skipChildren();
        }
      }
    }
  }

  /// The value of an attribute, at whose begin the parser stands, if it is the one with the
  /// pipelines.
  private static @Nullable Span valueOfPipelines(JsonParser parser, int base) {
    boolean found = false;
    Span value = null;
    if (parser.currentToken() == JsonToken.START_OBJECT) {
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        JsonToken token = parser.nextToken();
        if (name.equals("key") && token == JsonToken.VALUE_STRING) {
          found = parser.getString().equals(LogsCollector.Pipelines.ATTRIBUTE);
        } else if (name.equals("value") && token == JsonToken.START_OBJECT) {
          Span relative = span(parser);
          value = new Span(base + relative.from(), base + relative.to());
        } else {
          JsonParser _ = parser.skipChildren();
        }
      }
    }
    return found ? value : null;
  }

  private void value(Span value, LogsCollector.Pipelines pipelines) throws RequestException {
    try (JsonParser parser = parser(value)) {
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        JsonToken token = parser.nextToken();
        if (name.equals("stringValue") && token == JsonToken.VALUE_STRING) {
          pipelines.add(parser.getString());
        } else if (name.equals("arrayValue") && token == JsonToken.START_OBJECT) {
          pipelines.markGiven();
          values(parser, pipelines);
        } else {
          JsonParser _ = parser.skipChildren();
        }
      }
    }
  }

  private static void values(JsonParser parser, LogsCollector.Pipelines pipelines)
      throws RequestException {
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      JsonToken _ = parser.nextToken();
      if (name.equals("values")) {
        array(parser, name, () -> element(parser, pipelines));
      } else {
        JsonParser _ = parser.skipChildren();
      }
    }
  }

  private static void element(JsonParser parser, LogsCollector.Pipelines pipelines)
      throws RequestException {
    String text = null;
    if (parser.currentToken() == JsonToken.START_OBJECT) {
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        JsonToken token = parser.nextToken();
        if (name.equals("stringValue") && token == JsonToken.VALUE_STRING) {
          text = parser.getString();
        } else {
          JsonParser _ = parser.skipChildren();
        }
      }
    }
    if (text == null) {
      pipelines.markOther();
    } else {
      pipelines.add(text);
    }
  }

  private JsonParser parser(Span value) {
    JsonParser parser = parser(value.from(), value.to() - value.from());
    JsonToken _ = parser.nextToken();
    return parser;
  }

  private JsonParser parser(int from, int length) {
    return JSON.createParser(ObjectReadContext.empty(), body, from, length);
  }

  /// The value at whose begin the parser stands; afterwards it stands at the end.
  private static Span span(JsonParser parser) {
    int from = (int) parser.currentTokenLocation().getByteOffset();
    parser.skipChildren().finishToken();
    return new Span(from, (int) parser.currentLocation().getByteOffset());
  }

  private static void beginObject(JsonParser parser, String what) throws RequestException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw malformed(what + " is not an object");
    }
  }

  private static void array(JsonParser parser, String name, Element element)
      throws RequestException {
    if (parser.currentToken() == JsonToken.VALUE_NULL) {
      return;
    }
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw malformed(name + " is not an array");
    }
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      element.read();
    }
  }

  /// A request with these names would be a request without log records, and its sender would hear
  /// that all is well.
  private static void refuseSnakeCase(String name, String snakeCase, String camelCase)
      throws RequestException {
    if (name.equals(snakeCase)) {
      throw malformed("The member " + snakeCase + " is named " + camelCase + " in OTLP's JSON");
    }
  }

  private static RequestException malformed(String why) {
    return new RequestException(
        RequestException.Kind.MALFORMED, why + ". Send an ExportLogsServiceRequest of OTLP.");
  }
}
