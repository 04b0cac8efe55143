package com.datanadhi.json;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.SerializableString;
import tools.jackson.core.io.CharacterEscapes;
import tools.jackson.core.io.SerializedString;

/// The characters that control a terminal, end lines, or change the direction of text. JSON
/// requires only those below U+0020 to be escaped; as escapes for a generator, this class escapes
/// all, so that output with text from outside can be shown on a terminal. Thread-safe.
public final class ControlCharacters extends CharacterEscapes {
  private static final long serialVersionUID = 1;

  private final int[] asciiEscapes;

  public ControlCharacters() {
    this.asciiEscapes = standardAsciiEscapesForJSON();
    asciiEscapes[0x7F] = ESCAPE_STANDARD;
  }

  /// Whether `character` is one of them.
  public static boolean contains(int character) {
    return Character.isISOControl(character)
        || character == 0x061C
        || character == 0x200E
        || character == 0x200F
        || (character >= 0x2028 && character <= 0x202E)
        || (character >= 0x2066 && character <= 0x2069);
  }

  /// `json` with escapes instead of those that JSON permits. It remains the same value, since JSON
  /// permits them only in strings.
  public static String escape(String json) {
    StringBuilder escaped = new StringBuilder(json.length());
    for (int i = 0; i < json.length(); i++) {
      char c = json.charAt(i);
      if (c >= 0x7F && contains(c)) {
        escaped.append(escapeOf(c));
      } else {
        escaped.append(c);
      }
    }
    return escaped.toString();
  }

  @Override
  public int[] getEscapeCodesForAscii() {
    return asciiEscapes.clone();
  }

  @Override
  public @Nullable SerializableString getEscapeSequence(int character) {
    return contains(character) ? new SerializedString(escapeOf(character)) : null;
  }

  private static String escapeOf(int character) {
    return String.format("\\u%04x", character);
  }
}
