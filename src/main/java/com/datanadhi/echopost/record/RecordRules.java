package com.datanadhi.echopost.record;

/// What a record must be before it may enter the buffer, so that everything in it can be delivered.
public final class RecordRules {
  /// The largest payload, in bytes: 4 MiB.
  public static final int MAX_JSON_BYTES = 4 << 20;

  private static final int MAX_KEY_LENGTH = 255;

  private RecordRules() {}

  /// Whether `value` can be an HTTP header's value (RFC 9110, section 5.5): no line ends, no
  /// control characters but the tab; bytes above 0x7F are allowed.
  public static boolean isHeaderValue(byte[] value) {
    for (byte b : value) {
      int c = b & 0xFF;
      if ((c < 0x20 && c != '\t') || c == 0x7F) {
        return false;
      }
    }
    return true;
  }

  /// Whether `key` can be an idempotency key: 1 to 255 visible ASCII characters.
  public static boolean isIdempotencyKey(String key) {
    return !key.isEmpty()
        && key.length() <= MAX_KEY_LENGTH
        && key.chars().allMatch(c -> c > 0x20 && c < 0x7F);
  }
}
