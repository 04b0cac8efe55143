package com.datanadhi.hub.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.HexFormat;

/// Decodes strings of JSON texts that were checked before.
final class JsonStrings {
  private JsonStrings() {}

  /// The content of a string.
  ///
  /// @param text with its quotes
  /// @throws IllegalArgumentException it is not a string, or not Unicode: a surrogate stands alone
  static String decode(byte[] text) {
    if (text.length < 2 || text[0] != '"') {
      throw new IllegalArgumentException("it is not a string");
    }
    return unescape(new String(text, 1, text.length - 2, UTF_8));
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
