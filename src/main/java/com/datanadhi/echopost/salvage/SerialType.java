package com.datanadhi.echopost.salvage;

import java.nio.ByteBuffer;

/// SQLite's encoding of one column of a row (<https://sqlite.org/fileformat2.html>, section 2.1),
/// for the types that our tables use.
final class SerialType {
  static final int NULL = 0;
  private static final int FIRST_TEXT = 13;

  private SerialType() {}

  static boolean isText(long type) {
    return type >= FIRST_TEXT && type % 2 == 1;
  }

  static boolean isInteger(long type) {
    return (type >= 1 && type <= 6) || type == 8 || type == 9;
  }

  /// The type of a text with `length` bytes.
  static int ofText(int length) {
    return FIRST_TEXT + 2 * length;
  }

  /// The length of a column of `type`, in bytes.
  static int lengthOf(long type) {
    return switch ((int) type) {
      case NULL, 8, 9 -> 0;
      case 1, 2, 3, 4 -> (int) type;
      case 5 -> 6;
      case 6 -> 8;
      default -> (int) (type - FIRST_TEXT) / 2;
    };
  }

  /// Reads an integer of `type` at the position of `bytes`.
  static long integer(ByteBuffer bytes, long type) {
    if (type == 8 || type == 9) {
      return type - 8;
    }
    long value = bytes.get();
    for (int i = lengthOf(type); i > 1; i--) {
      value = value << 8 | (bytes.get() & 0xFF);
    }
    return value;
  }

  /// Reads a text of `type` at the position of `bytes`.
  static byte[] text(ByteBuffer bytes, long type) {
    byte[] text = new byte[lengthOf(type)];
    bytes.get(text);
    return text;
  }
}
