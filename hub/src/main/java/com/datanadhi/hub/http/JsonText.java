package com.datanadhi.hub.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Writes JSON as UTF-8 into a growing array. Not thread-safe.
final class JsonText {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
  private static final byte[] HEX = "0123456789abcdef".getBytes(UTF_8);

  private byte[] bytes;
  private int length;

  JsonText() {
    this(256);
  }

  JsonText(int capacity) {
    this.bytes = new byte[capacity];
  }

  int length() {
    return length;
  }

  byte[] toBytes() {
    return Arrays.copyOf(bytes, length);
  }

  @Override
  public String toString() {
    return new String(bytes, 0, length, UTF_8);
  }

  /// Text as it is.
  JsonText raw(String text) {
    return raw(text.getBytes(UTF_8));
  }

  JsonText raw(byte[] text) {
    ensure(text.length);
    System.arraycopy(text, 0, bytes, length, text.length);
    length += text.length;
    return this;
  }

  JsonText number(long number) {
    return raw(Long.toString(number));
  }

  /// A string in quotes, or `null`.
  JsonText string(@Nullable String text) {
    return text == null ? raw("null") : string(text.getBytes(UTF_8));
  }

  /// A string whose content is this UTF-8.
  JsonText string(byte[] utf8) {
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

  /// A moment as RFC 3339 in UTC with three decimals, or `null`.
  JsonText time(@Nullable Long millis) {
    return millis == null
        ? raw("null")
        : raw("\"" + TIME.format(Instant.ofEpochMilli(millis)) + "\"");
  }

  /// A JSON text on one line: a line end, which can only be white space between tokens, becomes a
  /// space.
  JsonText onOneLine(byte[] json) {
    int from = length;
    raw(json);
    for (int i = from; i < length; i++) {
      if (bytes[i] == '\n' || bytes[i] == '\r') {
        bytes[i] = ' ';
      }
    }
    return this;
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
