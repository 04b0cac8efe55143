package com.datanadhi.echopost.record;

/// The rules that a record must fulfil to be accepted, so that every record can be delivered.
public final class RecordRules {
  /// The largest payload, in bytes: 4 MiB.
  public static final int MAX_JSON_BYTES = 4 << 20;

  private static final int MAX_KEY_LENGTH = 255;

  private RecordRules() {}

  /// Whether `value` can be an HTTP header's value (RFC 9110, section 5.5): no line ends and no
  /// control characters except the tab; bytes above 0x7F are allowed.
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
