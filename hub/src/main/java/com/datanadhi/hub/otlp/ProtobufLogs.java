package com.datanadhi.hub.otlp;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.json.JsonText;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.google.protobuf.WireFormat;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.InstrumentationScope;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.logs.v1.ResourceLogs;
import io.opentelemetry.proto.logs.v1.ScopeLogs;
import io.opentelemetry.proto.resource.v1.Resource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Reads a request in protobuf. Each log record, resource and scope is parsed by itself: one that
/// cannot be parsed, such as one with a text that is not UTF-8, does not affect the others.
final class ProtobufLogs {
  private static final Parser<LogRecord> LOG_RECORD = parser(LogRecord.parser());
  private static final Parser<Resource> RESOURCE = parser(Resource.parser());
  private static final Parser<InstrumentationScope> SCOPE = parser(InstrumentationScope.parser());

  /// What a parsed message takes beyond its texts, and a text beyond its bytes.
  private static final int MESSAGE_BYTES = 112;

  private static final int TEXT_BYTES = 48;
  private static final int MAX_DEPTH = 100;
  private static final byte[] BEGIN = "{\"resourceLogs\":[{".getBytes(UTF_8);
  private static final byte[] SCOPES = "\"scopeLogs\":[{".getBytes(UTF_8);
  private static final byte[] RECORDS = "\"logRecords\":[".getBytes(UTF_8);
  private static final byte[] END = "]}]}]}".getBytes(UTF_8);

  private final LogsCollector logs;

  ProtobufLogs(LogsCollector logs) {
    this.logs = logs;
  }

  /// Fields that are not known have no JSON, and are not kept: they take memory.
  private static <M extends Message> Parser<M> parser(Parser<M> parser) {
    return DiscardUnknownFieldsParser.wrap(parser);
  }

  /// A `ResourceLogs` or a `ScopeLogs`, whose fields have the same numbers.
  ///
  /// @param described the resource or the scope; empty if there is none
  /// @param contained the `ScopeLogs`, or the log records
  private record Group(ByteString described, List<ByteString> contained, ByteString schemaUrl) {
    static final int DESCRIBED = ResourceLogs.RESOURCE_FIELD_NUMBER;
    static final int CONTAINED = ResourceLogs.SCOPE_LOGS_FIELD_NUMBER;
    static final int SCHEMA_URL = ResourceLogs.SCHEMA_URL_FIELD_NUMBER;

    static {
      if (DESCRIBED != ScopeLogs.SCOPE_FIELD_NUMBER
          || CONTAINED != ScopeLogs.LOG_RECORDS_FIELD_NUMBER
          || SCHEMA_URL != ScopeLogs.SCHEMA_URL_FIELD_NUMBER) {
        throw new ExceptionInInitializerError("ResourceLogs and ScopeLogs differ in their fields");
      }
    }

    /// The message with one element alone.
    ByteString with(ByteString element) {
      ByteString.Output out = ByteString.newOutput(element.size() + described.size() + 32);
      CodedOutputStream coded = CodedOutputStream.newInstance(out);
      try {
        if (!described.isEmpty()) {
          coded.writeBytes(DESCRIBED, described);
        }
        coded.writeBytes(CONTAINED, element);
        if (!schemaUrl.isEmpty()) {
          coded.writeBytes(SCHEMA_URL, schemaUrl);
        }
        coded.flush();
      } catch (IOException impossible) {
        throw new AssertionError(impossible);
      }
      return out.toByteString();
    }
  }

  void read(ByteString body) throws RequestException {
    try {
      CodedInputStream in = input(body);
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag == delimited(ExportLogsServiceRequest.RESOURCE_LOGS_FIELD_NUMBER)) {
          resourceLogs(in.readBytes());
        } else {
          boolean _ = in.skipField(tag);
        }
      }
    } catch (IOException malformed) {
      throw new RequestException(
          RequestException.Kind.MALFORMED,
          "The body cannot be read: "
              + malformed.getMessage()
              + " Send an ExportLogsServiceRequest of OTLP.");
    }
  }

  private Group group(ByteString message, boolean ofRecords) throws IOException, RequestException {
    ByteString described = ByteString.EMPTY;
    List<ByteString> contained = new ArrayList<>();
    ByteString schemaUrl = ByteString.EMPTY;
    CodedInputStream in = input(message);
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (tag == delimited(Group.DESCRIBED)) {
        // A message that is there several times is the sum of all, and so are their bytes.
        described = described.concat(in.readBytes());
      } else if (tag == delimited(Group.CONTAINED)) {
        if (ofRecords) {
          logs.announce();
        } else {
          logs.memory().take(512); // what an empty one takes
        }
        contained.add(in.readBytes());
      } else if (tag == delimited(Group.SCHEMA_URL)) {
        schemaUrl = in.readBytes();
      } else {
        boolean _ = in.skipField(tag);
      }
    }
    return new Group(described, contained, schemaUrl);
  }

  private void resourceLogs(ByteString message) throws IOException, RequestException {
    Group resource = group(message, false);
    LogsCollector.Pipelines pipelines = new LogsCollector.Pipelines(logs.memory());
    String problem = "";
    JsonText begin = new JsonText().raw(BEGIN);
    try {
      Resource parsed = parse(RESOURCE, resource.described(), Resource.getDescriptor());
      for (KeyValue attribute : parsed.getAttributesList()) {
        if (attribute.getKey().equals(LogsCollector.Pipelines.ATTRIBUTE)) {
          read(attribute.getValue(), pipelines);
        }
      }
      problem = pipelines.problem();
      describe(begin, "resource", parsed, resource);
    } catch (UnusableException unusable) {
      problem = unusable.getMessage();
    }
    begin.raw(SCOPES);
    for (ByteString scopeLogs : resource.contained()) {
      Group scope = group(scopeLogs, true);
      if (!scope.contained().isEmpty()) {
        scopeLogs(resource, scope, begin, pipelines, problem);
      }
    }
  }

  private void scopeLogs(
      Group resource,
      Group scope,
      JsonText before,
      LogsCollector.Pipelines pipelines,
      String problemOfResource)
      throws RequestException {
    String outer = problemOfResource;
    JsonText text = new JsonText().raw(before.toBytes());
    if (outer.isEmpty()) {
      try {
        describe(
            text,
            "scope",
            parse(SCOPE, scope.described(), InstrumentationScope.getDescriptor()),
            scope);
      } catch (UnusableException unusable) {
        outer = unusable.getMessage();
      }
    }
    byte[] begin = text.raw(RECORDS).toBytes();
    for (ByteString record : scope.contained()) {
      String problem = outer;
      if (problem.isEmpty()) {
        try {
          logs.add(pipelines, text(begin, record));
        } catch (UnusableException unusable) {
          problem = unusable.getMessage();
        }
      }
      if (!problem.isEmpty()) {
        byte[] alone = request(resource.with(scope.with(record)));
        logs.memory().take(alone.length);
        logs.addBad(alone, problem);
      }
    }
  }

  private static byte[] request(ByteString resourceLogs) {
    int field = ExportLogsServiceRequest.RESOURCE_LOGS_FIELD_NUMBER;
    byte[] request = new byte[CodedOutputStream.computeBytesSize(field, resourceLogs)];
    try {
      CodedOutputStream.newInstance(request).writeBytes(field, resourceLogs);
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
    return request;
  }

  private byte[] text(byte[] begin, ByteString record) throws UnusableException, RequestException {
    byte[] json = json(parse(LOG_RECORD, record, LogRecord.getDescriptor()));
    int size = begin.length + json.length + END.length;
    if (size > LogsCollector.MAX_BYTES) {
      throw new UnusableException(LogsCollector.TOO_LARGE);
    }
    logs.memory().take(size);
    return new JsonText(size).raw(begin).raw(json).raw(END).toBytes();
  }

  private static void describe(JsonText text, String name, Message described, Group group)
      throws UnusableException {
    if (!group.described().isEmpty()) {
      text.raw("\"" + name + "\":").raw(json(described)).raw(",");
    }
    if (!group.schemaUrl().isEmpty()) {
      if (!group.schemaUrl().isValidUtf8()) {
        throw new UnusableException("its schemaUrl is not UTF-8");
      }
      text.raw("\"schemaUrl\":").string(group.schemaUrl().toByteArray()).raw(",");
    }
  }

  private static byte[] json(Message message) throws UnusableException {
    try {
      return OtlpJson.of(message);
    } catch (OtlpJson.TooLargeException _) {
      throw new UnusableException(LogsCollector.TOO_LARGE);
    }
  }

  private <M> M parse(Parser<M> parser, ByteString message, Descriptor type)
      throws UnusableException, RequestException {
    logs.memory().work(memory(message, type));
    try {
      return parser.parseFrom(message);
    } catch (InvalidProtocolBufferException malformed) {
      throw new UnusableException(
          "its " + type.getName() + " cannot be read: " + malformed.getMessage());
    }
  }

  private static void read(AnyValue value, LogsCollector.Pipelines pipelines)
      throws RequestException {
    switch (value.getValueCase()) {
      case STRING_VALUE -> pipelines.add(value.getStringValue());
      case ARRAY_VALUE -> {
        pipelines.markGiven();
        for (AnyValue element : value.getArrayValue().getValuesList()) {
          if (element.hasStringValue()) {
            pipelines.add(element.getStringValue());
          } else {
            pipelines.markOther();
          }
        }
      }
      default -> pipelines.markOther();
    }
  }

  /// The memory that a message takes when it is parsed, as far as it can be.
  private static long memory(ByteString message, Descriptor type) {
    long[] bytes = {MESSAGE_BYTES};
    try {
      count(input(message), type, bytes, 0);
    } catch (IOException malformed) {
      return bytes[0];
    }
    return bytes[0];
  }

  private static void count(CodedInputStream in, Descriptor type, long[] bytes, int depth)
      throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      FieldDescriptor field = type.findFieldByNumber(WireFormat.getTagFieldNumber(tag));
      if (field == null
          || WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_LENGTH_DELIMITED
          || depth == MAX_DEPTH) {
        boolean _ = in.skipField(tag);
        continue;
      }
      int length = in.readRawVarint32();
      if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
        bytes[0] += MESSAGE_BYTES;
        int outer = in.pushLimit(length);
        count(in, field.getMessageType(), bytes, depth + 1);
        in.popLimit(outer);
      } else {
        bytes[0] += TEXT_BYTES + (long) length;
        in.skipRawBytes(length);
      }
    }
  }

  private static CodedInputStream input(ByteString bytes) {
    CodedInputStream in = bytes.newCodedInput();
    in.enableAliasing(true);
    return in;
  }

  private static int delimited(int field) {
    return field << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  }

  /// A log record, or the resource or scope of some, cannot be stored. The message says why.
  private static final class UnusableException extends Exception {
    private static final long serialVersionUID = 1;

    UnusableException(String message) {
      super(message, null, false, false);
    }

    @Override
    public String getMessage() {
      return String.valueOf(super.getMessage());
    }
  }
}
