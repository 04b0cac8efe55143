package com.datanadhi.echopost.control;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The fields of one protobuf message, by number. As protobuf requires: of a field that is there
/// several times the last one counts, a missing field has its default, and a field that is unknown
/// or has another wire type is ignored.
///
/// Immutable once [#read] has returned.
final class MessageFields {
  private static final byte[] NO_BYTES = {};

  /// In the order on the wire: a Long for a varint, a Double for eight fixed bytes, a byte array or
  /// a MessageFields for a length-delimited field.
  private final Map<Integer, List<Object>> values = new HashMap<>();

  private MessageFields() {}

  /// Reads until the end of `in`, or of its limit.
  ///
  /// @param messages the numbers of the fields that are messages themselves
  /// @throws IOException when the bytes are no protobuf message
  static MessageFields read(CodedInputStream in, int... messages) throws IOException {
    MessageFields fields = new MessageFields();
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      int number = WireFormat.getTagFieldNumber(tag);
      switch (WireFormat.getTagWireType(tag)) {
        case WireFormat.WIRETYPE_VARINT -> fields.add(number, in.readInt64());
        case WireFormat.WIRETYPE_FIXED64 -> fields.add(number, in.readDouble());
        case WireFormat.WIRETYPE_LENGTH_DELIMITED ->
            fields.add(number, contains(messages, number) ? nested(in) : in.readByteArray());
        default -> {
          if (!in.skipField(tag)) {
            throw new InvalidProtocolBufferException("an unmatched end of group");
          }
        }
      }
    }
    return fields;
  }

  private static MessageFields nested(CodedInputStream in) throws IOException {
    int end = in.pushLimit(in.readRawVarint32());
    MessageFields fields = read(in);
    in.popLimit(end);
    return fields;
  }

  private static boolean contains(int[] numbers, int number) {
    for (int one : numbers) {
      if (one == number) {
        return true;
      }
    }
    return false;
  }

  private void add(int number, Object value) {
    values.computeIfAbsent(number, first -> new ArrayList<>()).add(value);
  }

  private <T> List<T> all(int number, Class<T> type) {
    List<T> found = new ArrayList<>();
    for (Object value : values.getOrDefault(number, List.of())) {
      if (type.isInstance(value)) {
        found.add(type.cast(value));
      }
    }
    return found;
  }

  private <T> @Nullable T last(int number, Class<T> type) {
    List<T> found = all(number, type);
    return found.isEmpty() ? null : found.getLast();
  }

  /// An `int64`.
  long int64(int number) {
    Long value = last(number, Long.class);
    return value == null ? 0 : value;
  }

  /// An `int32`, or the number of an enum's constant.
  int int32(int number) {
    return (int) int64(number);
  }

  /// An `optional int32`; null when it is missing.
  @Nullable Integer optionalInt32(int number) {
    Long value = last(number, Long.class);
    return value == null ? null : value.intValue();
  }

  /// A `bool`.
  boolean bool(int number) {
    return int64(number) != 0;
  }

  /// A `double`.
  double float64(int number) {
    Double value = last(number, Double.class);
    return value == null ? 0 : value;
  }

  /// A `bytes`.
  byte[] bytes(int number) {
    byte[] value = last(number, byte[].class);
    return value == null ? NO_BYTES : value;
  }

  /// A `string`.
  ///
  /// @throws IOException when it is not UTF-8
  String string(int number) throws IOException {
    String value = optionalString(number);
    return value == null ? "" : value;
  }

  /// An `optional string`; null when it is missing.
  ///
  /// @throws IOException when it is not UTF-8
  @Nullable String optionalString(int number) throws IOException {
    byte[] value = last(number, byte[].class);
    try {
      return value == null
          ? null
          : StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
    } catch (CharacterCodingException notUtf8) {
      throw new InvalidProtocolBufferException(notUtf8);
    }
  }

  /// A `repeated int64`, whose values may be packed or not.
  ///
  /// @throws IOException when packed values end within one of them
  List<Long> int64s(int number) throws IOException {
    List<Long> found = new ArrayList<>();
    for (Object value : values.getOrDefault(number, List.of())) {
      if (value instanceof Long single) {
        found.add(single);
      } else if (value instanceof byte[] packed) {
        CodedInputStream in = CodedInputStream.newInstance(packed);
        while (!in.isAtEnd()) {
          found.add(in.readInt64());
        }
      }
    }
    return found;
  }

  /// A `repeated` field of messages, whose number [#read] was given.
  List<MessageFields> messages(int number) {
    return all(number, MessageFields.class);
  }
}
