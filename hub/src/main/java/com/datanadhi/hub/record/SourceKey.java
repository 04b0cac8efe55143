package com.datanadhi.hub.record;

import org.jspecify.annotations.Nullable;

/// A key `<source>-<n>`: the record with the number n of a source, which is one run of an agent or
/// of an SDK.
///
/// @param source a UUID (36 characters) or 32 lower-case hex digits
/// @param number 1 to 10^18 - 1
public record SourceKey(String source, long number) {
  private static final int UUID_LENGTH = 36;
  private static final int HEX_LENGTH = 32;
  private static final int MAX_DIGITS = 18;

  /// The parts of `key`, or null if it belongs to no source. Called for each key that is received
  /// or applied, so it is not a regular expression.
  public static @Nullable SourceKey parse(String key) {
    int dash = key.lastIndexOf('-');
    int digits = key.length() - dash - 1;
    if ((dash != UUID_LENGTH && dash != HEX_LENGTH)
        || digits < 1
        || digits > MAX_DIGITS
        || key.charAt(dash + 1) == '0') {
      return null;
    }
    long number = 0;
    for (int i = dash + 1; i < key.length(); i++) {
      int digit = key.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return null;
      }
      number = number * 10 + digit;
    }
    for (int i = 0; i < dash; i++) {
      if (!isSourceCharacter(key.charAt(i), i, dash == UUID_LENGTH)) {
        return null;
      }
    }
    return new SourceKey(key.substring(0, dash), number);
  }

  private static boolean isSourceCharacter(char c, int i, boolean uuid) {
    if (uuid && (i == 8 || i == 13 || i == 18 || i == 23)) {
      return c == '-';
    }
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (uuid && c >= 'A' && c <= 'F');
  }
}
