package com.datanadhi.hub.otlp;

import com.datanadhi.hub.json.JsonText;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/// Writes messages in OTLP's JSON: that of protobuf, but for the ids of traces and spans, which are
/// hexadecimal, and enums, which are numbers
/// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
final class OtlpJson {
  private OtlpJson() {}

  /// Ends the writing of a message whose JSON is larger than it may be.
  static final class TooLargeException extends Exception {
    private static final long serialVersionUID = 1;

    TooLargeException() {
      super("", null, false, false);
    }
  }

  /// Whether a field of type bytes is hexadecimal in JSON.
  static boolean isHex(FieldDescriptor field) {
    return switch (field.getName()) {
      case "trace_id", "span_id" -> true;
      default -> false;
    };
  }

  static byte[] of(Message message) throws TooLargeException {
    JsonText json = new JsonText();
    write(json, message);
    return json.toBytes();
  }

  private static void write(JsonText json, Message message) throws TooLargeException {
    json.raw("{");
    String separator = "";
    for (Map.Entry<FieldDescriptor, Object> entry : message.getAllFields().entrySet()) {
      FieldDescriptor field = entry.getKey();
      json.raw(separator).string(field.getJsonName()).raw(":");
      separator = ",";
      if (field.isRepeated()) {
        json.raw("[");
        String between = "";
        for (Object element : (List<?>) entry.getValue()) {
          json.raw(between);
          between = ",";
          write(json, field, element);
        }
        json.raw("]");
      } else {
        write(json, field, entry.getValue());
      }
    }
    json.raw("}");
  }

  private static void write(JsonText json, FieldDescriptor field, Object value)
      throws TooLargeException {
    if (json.length() > LogsCollector.MAX_BYTES) {
      throw new TooLargeException();
    }
    switch (value) {
      case Message message -> write(json, message);
      case String text -> {
        if (text.length() > LogsCollector.MAX_BYTES) {
          throw new TooLargeException();
        }
        json.string(text);
      }
      case ByteString bytes ->
          json.string(
              isHex(field)
                  ? HexFormat.of().formatHex(bytes.toByteArray())
                  : Base64.getEncoder().encodeToString(bytes.toByteArray()));
      case Boolean bool -> json.raw(bool.toString());
      case Double number when number.isNaN() || number.isInfinite() ->
          json.string(number.toString());
      case Double number -> json.raw(number.toString());
      case EnumValueDescriptor constant -> json.number(constant.getNumber());
      case Long number ->
          json.string(isUnsigned(field) ? Long.toUnsignedString(number) : Long.toString(number));
      case Integer number ->
          json.number(isUnsigned(field) ? Integer.toUnsignedLong(number) : number);
      default -> throw new IllegalStateException("OTLP has no field of the type of " + field);
    }
  }

  static boolean isUnsigned(FieldDescriptor field) {
    return switch (field.getType()) {
      case UINT32, UINT64, FIXED32, FIXED64 -> true;
      default -> false;
    };
  }
}
