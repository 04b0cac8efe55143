package com.datanadhi.hub.view;

/// Writes the little JSON that the tables need.
final class JsonText {
  private JsonText() {}

  /// Adds `value` as a JSON string.
  static void quote(StringBuilder to, String value) {
    to.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') {
        to.append('\\').append(c);
      } else if (c < ' ') {
        to.append("\\u00")
            .append(Character.forDigit(c >> 4, 16))
            .append(Character.forDigit(c & 15, 16));
      } else {
        to.append(c);
      }
    }
    to.append('"');
  }
}
