package com.datanadhi.hub.otlp;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import java.util.Base64;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// Checks that a JSON value is a message in OTLP's JSON. Members that are not known are passed
/// over, as OTLP says; null is as good as a missing member, as in protobuf's JSON.
final class JsonCheck {
  private static final Pattern WHOLE = Pattern.compile("-?[0-9]{1,20}");
  private static final Pattern NUMBER =
      Pattern.compile("-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?|NaN|-?Infinity");
  private static final Pattern HEX = Pattern.compile("([0-9a-fA-F]{2})*");

  private JsonCheck() {}

  /// What is wrong with the value at which `parser` stands, or null. If it is null, the parser
  /// stands at the end of the value.
  static @Nullable String problem(JsonParser parser, Descriptor type) {
    if (parser.currentToken() == JsonToken.VALUE_NULL) {
      return null;
    }
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      return "the " + type.getName() + " is not an object";
    }
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      FieldDescriptor field = field(type, parser.currentName());
      JsonToken token = parser.nextToken();
      if (field == null || token == JsonToken.VALUE_NULL) {
        JsonParser _ = parser.skipChildren();
        continue;
      }
      String problem = field.isRepeated() ? array(parser, field) : value(parser, field);
      if (problem != null) {
        return problem;
      }
    }
    return null;
  }

  private static @Nullable FieldDescriptor field(Descriptor type, String name) {
    for (FieldDescriptor field : type.getFields()) {
      if (field.getJsonName().equals(name)) {
        return field;
      }
    }
    return null;
  }

  private static @Nullable String array(JsonParser parser, FieldDescriptor field) {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      return is(field, "an array");
    }
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      String problem = value(parser, field);
      if (problem != null) {
        return problem;
      }
    }
    return null;
  }

  private static @Nullable String value(JsonParser parser, FieldDescriptor field) {
    JsonToken token = parser.currentToken();
    return switch (field.getJavaType()) {
      case MESSAGE -> problem(parser, field.getMessageType());
      case STRING -> token == JsonToken.VALUE_STRING ? null : is(field, "a string");
      case BOOLEAN -> token.isBoolean() ? null : is(field, "true or false");
      case BYTE_STRING -> bytes(parser, field);
      case INT, LONG -> whole(parser, field);
      case ENUM ->
          token == JsonToken.VALUE_NUMBER_INT && isWhole(parser.getString(), 32, false)
              ? null
              : is(field, "the number of an enum");
      case FLOAT, DOUBLE ->
          token.isNumeric()
                  || (token == JsonToken.VALUE_STRING
                      && NUMBER.matcher(parser.getString()).matches())
              ? null
              : is(field, "a number");
    };
  }

  private static @Nullable String bytes(JsonParser parser, FieldDescriptor field) {
    boolean hex = OtlpJson.isHex(field);
    if (parser.currentToken() == JsonToken.VALUE_STRING) {
      String text = parser.getString();
      if (hex ? HEX.matcher(text).matches() : isBase64(text)) {
        return null;
      }
    }
    return is(field, hex ? "hexadecimal" : "base64");
  }

  private static boolean isBase64(String text) {
    try {
      byte[] _ = Base64.getDecoder().decode(text.replace('-', '+').replace('_', '/'));
      return true;
    } catch (IllegalArgumentException _) {
      return false;
    }
  }

  private static @Nullable String whole(JsonParser parser, FieldDescriptor field) {
    JsonToken token = parser.currentToken();
    boolean unsigned = OtlpJson.isUnsigned(field);
    int bits = field.getJavaType() == FieldDescriptor.JavaType.INT ? 32 : 64;
    boolean fits =
        (token == JsonToken.VALUE_NUMBER_INT || token == JsonToken.VALUE_STRING)
            && isWhole(parser.getString(), bits, unsigned);
    return fits
        ? null
        : is(field, "a whole number of " + bits + " bits" + (unsigned ? " from 0 on" : ""));
  }

  private static boolean isWhole(String text, int bits, boolean unsigned) {
    if (!WHOLE.matcher(text).matches()) {
      return false;
    }
    try {
      if (bits == 64) {
        long _ = unsigned ? Long.parseUnsignedLong(text) : Long.parseLong(text);
      } else {
        int _ = unsigned ? Integer.parseUnsignedInt(text) : Integer.parseInt(text);
      }
      return true;
    } catch (NumberFormatException _) {
      return false;
    }
  }

  private static String is(FieldDescriptor field, String what) {
    return field.getJsonName() + " is not " + what;
  }
}
