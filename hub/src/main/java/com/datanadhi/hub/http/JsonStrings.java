package com.datanadhi.hub.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.HexFormat;
import java.util.List;

/// Decodes strings of JSON texts that were checked before.
final class JsonStrings {
  private static final String NO_STRING = "it is not a string";

  private JsonStrings() {}

  /// The content of a string.
  ///
  /// @param text with its quotes
  /// @throws IllegalArgumentException it is not a string, or not Unicode: a surrogate stands alone
  static String decode(byte[] text) {
    if (text[0] != '"') {
      throw new IllegalArgumentException(NO_STRING);
    }
    return decode(text, 0, text.length);
  }

  private static String decode(byte[] text, int from, int to) {
    return to - from == 2 ? "" : unescape(new String(text, from + 1, to - from - 2, UTF_8));
  }

  /// How many strings an array has.
  ///
  /// @param array with its brackets
  /// @throws IllegalArgumentException an element is not a string
  static int count(byte[] array) {
    int count = 0;
    for (int at = next(array, 1); array[at] != ']'; at = next(array, end(array, at))) {
      count++;
    }
    return count;
  }

  /// The strings of an array. Its text is not copied in between: the part of a short string takes
  /// many times the memory of its text.
  ///
  /// @param count of them
  /// @throws IllegalArgumentException one is not Unicode
  static List<String> decodeAll(byte[] array, int count) {
    String[] strings = new String[count];
    int at = next(array, 1);
    for (int i = 0; i < count; i++) {
      int end = end(array, at);
      strings[i] = decode(array, at, end);
      at = next(array, end);
    }
    return List.of(strings);
  }

  /// The offset of the next element, or of the bracket behind the last one.
  private static int next(byte[] array, int from) {
    int at = from;
    while (array[at] == ',' || array[at] <= ' ') {
      at++;
    }
    return at;
  }

  /// The offset behind a string.
  private static int end(byte[] text, int from) {
    if (text[from] != '"') {
      throw new IllegalArgumentException(NO_STRING);
    }
    int at = from + 1;
    while (text[at] != '"') {
      at += text[at] == '\\' ? 2 : 1;
    }
    return at + 1;
  }

  /// Replaces the escapes.
  ///
  /// @throws IllegalArgumentException it is not Unicode: a surrogate stands alone
  static String unescape(String text) {
    int escape = text.indexOf('\\');
    if (escape < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder(text.length());
    int from = 0;
    while (escape >= 0) {
      out.append(text, from, escape);
      char c = text.charAt(escape + 1);
      from = escape + 2;
      switch (c) {
        case 'b' -> out.append('\b');
        case 'f' -> out.append('\f');
        case 'n' -> out.append('\n');
        case 'r' -> out.append('\r');
        case 't' -> out.append('\t');
        case 'u' -> {
          out.append((char) HexFormat.fromHexDigits(text, from, from + 4));
          from += 4;
        }
        default -> out.append(c);
      }
      escape = text.indexOf('\\', from);
    }
    out.append(text, from, text.length());
    String decoded = out.toString();
    if (decoded.codePoints().anyMatch(c -> c >= 0xD800 && c <= 0xDFFF)) {
      throw new IllegalArgumentException("it has half of a surrogate pair");
    }
    return decoded;
  }
}
