package com.datanadhi.sdk.internal.json;

import java.nio.charset.StandardCharsets;

/** The encoding of texts in UTF-8, which has no unpaired surrogates. Thread-safe. */
public final class Utf8 {
  private Utf8() {}

  /** The size of the text in bytes, with one byte for each unpaired surrogate. */
  public static long length(String text) {
    long bytes = text.length();
    for (int i = asciiChars(text); i < text.length(); i++) {
      char c = text.charAt(i);
      if (isPair(text, i)) {
        bytes += 2;
        i++;
      } else if (c >= 0x800 && !Character.isSurrogate(c)) {
        bytes += 2;
      } else if (c >= 0x80 && c < 0x800) {
        bytes++;
      }
    }
    return bytes;
  }

  /** Whether each character of the text has one byte. */
  static boolean isAscii(String text) {
    return asciiChars(text) == text.length();
  }

  /** The index of the first character with more than one byte, or the length. */
  private static int asciiChars(String text) {
    int i = 0;
    while (i < text.length() && text.charAt(i) < 0x80) {
      i++;
    }
    return i;
  }

  /** The text with a question mark in place of each unpaired surrogate. */
  static String withoutUnpairedSurrogates(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
      }
    }
    return text;
  }

  /** Whether a character outside the basic multilingual plane begins at {@code index}. */
  static boolean isPair(String text, int index) {
    return Character.isHighSurrogate(text.charAt(index))
        && index + 1 < text.length()
        && Character.isLowSurrogate(text.charAt(index + 1));
  }
}
