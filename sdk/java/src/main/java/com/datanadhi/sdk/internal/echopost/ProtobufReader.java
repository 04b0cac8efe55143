package com.datanadhi.sdk.internal.echopost;

import java.nio.charset.StandardCharsets;

/**
 * Reads the fields of a protobuf message one after the other. A message can have fields that the
 * reader's user does not know, and a field can be there several times: then the last one counts.
 *
 * @see <a href="https://protobuf.dev/programming-guides/encoding/">Protobuf's encoding</a>
 */
final class ProtobufReader {
  private static final int VARINT = 0;
  private static final int EIGHT_BYTES = 1;
  static final int BYTES = 2;
  private static final int FOUR_BYTES = 5;
  private static final int LONGEST_VARINT = 10;

  private final byte[] message;
  private int position;
  private int tag;
  private long number;
  private int start;

  ProtobufReader(byte[] message) {
    this.message = message;
  }

  /** What a field with these is preceded by. */
  static int tag(int field, int type) {
    return (field << 3) | type;
  }

  /**
   * Reads the next field.
   *
   * @return false at the end of the message
   * @throws IllegalArgumentException if the message is not valid
   */
  boolean next() {
    if (position == message.length) {
      return false;
    }
    tag = (int) varint();
    if (tag >>> 3 == 0) {
      throw new IllegalArgumentException("A message has a field with the number 0");
    }
    start = position;
    switch (tag & 7) {
      case VARINT -> number = varint();
      case BYTES -> {
        long length = varint();
        start = position;
        skip(length);
      }
      case EIGHT_BYTES -> skip(Long.BYTES);
      case FOUR_BYTES -> skip(Integer.BYTES);
      default ->
          throw new IllegalArgumentException("A message has a field of the type " + (tag & 7));
    }
    return true;
  }

  /** Whether the field that was read is {@code field}, with a string. */
  boolean isString(int field) {
    return tag == tag(field, BYTES);
  }

  /** Whether the field that was read is {@code field}, with a boolean or an integer. */
  boolean isVarint(int field) {
    return tag == tag(field, VARINT);
  }

  String string() {
    return new String(message, start, position - start, StandardCharsets.UTF_8);
  }

  boolean bool() {
    return number != 0;
  }

  private long varint() {
    long value = 0;
    for (int i = 0; i < LONGEST_VARINT; i++) {
      if (position == message.length) {
        throw new IllegalArgumentException("A message ends within a number");
      }
      byte next = message[position++];
      value |= (long) (next & 0x7f) << (7 * i);
      if (next >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("A message has a number of more than 64 bits");
  }

  private void skip(long length) {
    if (length < 0 || length > message.length - position) {
      throw new IllegalArgumentException("A message ends within a field");
    }
    position += (int) length;
  }
}
