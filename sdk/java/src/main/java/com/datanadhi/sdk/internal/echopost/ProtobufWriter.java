package com.datanadhi.sdk.internal.echopost;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Encodes a protobuf message that has only strings. */
final class ProtobufWriter {
  private final ByteArrayOutputStream bytes;

  /**
   * @param expectedSize of the message in bytes
   */
  ProtobufWriter(int expectedSize) {
    bytes = new ByteArrayOutputStream(expectedSize);
  }

  /** Writes a field with a string, as protobuf does with a question mark for what is no text. */
  void string(int field, String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    varint(ProtobufReader.tag(field, ProtobufReader.BYTES));
    varint(utf8.length);
    bytes.write(utf8, 0, utf8.length);
  }

  private void varint(int value) {
    int rest = value;
    while (rest >= 0x80) {
      bytes.write(rest | 0x80);
      rest >>>= 7;
    }
    bytes.write(rest);
  }

  byte[] message() {
    return bytes.toByteArray();
  }
}
