package com.datanadhi.hub.json;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Writes JSON as UTF-8 into a growing array. Not thread-safe.
public final class JsonText {
  private static final byte[] HEX = "0123456789abcdef".getBytes(UTF_8);

  private byte[] bytes;
  private int length;

  public JsonText() {
    this(256);
  }

  public JsonText(int capacity) {
    this.bytes = new byte[capacity];
  }

  public int length() {
    return length;
  }

  /// Removes everything, to write another text.
  public JsonText clear() {
    length = 0;
    return this;
  }

  public byte[] toBytes() {
    return Arrays.copyOf(bytes, length);
  }

  public void writeTo(OutputStream out) throws IOException {
    out.write(bytes, 0, length);
  }

  /// The text itself, without a copy: valid until the next call of a method that writes.
  public ByteBuffer buffer() {
    return ByteBuffer.wrap(bytes, 0, length);
  }

  @Override
  public String toString() {
    return new String(bytes, 0, length, UTF_8);
  }

  /// Text as it is.
  public JsonText raw(String text) {
    return raw(text.getBytes(UTF_8));
  }

  public JsonText raw(byte[] text) {
    ensure(text.length);
    System.arraycopy(text, 0, bytes, length, text.length);
    length += text.length;
    return this;
  }

  public JsonText number(long number) {
    return raw(Long.toString(number));
  }

  /// A string in quotes, or `null`.
  public JsonText string(@Nullable String text) {
    return text == null ? raw("null") : string(text.getBytes(UTF_8));
  }

  /// A string whose content is this UTF-8.
  public JsonText string(byte[] utf8) {
    ensure(utf8.length + 2);
    add('"');
    for (byte b : utf8) {
      switch (b) {
        case '"' -> escape('"');
        case '\\' -> escape('\\');
        case '\n' -> escape('n');
        case '\r' -> escape('r');
        case '\t' -> escape('t');
        default -> {
          if (b >= 0 && b < ' ') {
            raw("\\u00");
            add(HEX[b >> 4]);
            add(HEX[b & 15]);
          } else {
            add(b);
          }
        }
      }
    }
    add('"');
    return this;
  }

  /// A JSON text on one line: a line end, which can only be white space between tokens, becomes a
  /// space.
  ///
  /// @return whether it had line ends
  public boolean onOneLine(byte[] json) {
    int from = length;
    raw(json);
    boolean found = false;
    for (int i = from; i < length; i++) {
      if (bytes[i] == '\n' || bytes[i] == '\r') {
        bytes[i] = ' ';
        found = true;
      }
    }
    return found;
  }

  private void escape(char character) {
    add('\\');
    add(character);
  }

  private void add(int b) {
    ensure(1);
    bytes[length++] = (byte) b;
  }

  private void ensure(int more) {
    if (length + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }
}
