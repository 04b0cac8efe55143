package com.datanadhi.hub.record;

/// The rule for idempotency keys: 1 to 255 visible ASCII characters.
public final class IdempotencyKey {
  public static final int MAX_LENGTH = 255;

  private IdempotencyKey() {}

  public static boolean isValid(String key) {
    if (key.isEmpty() || key.length() > MAX_LENGTH) {
      return false;
    }
    for (int i = 0; i < key.length(); i++) {
      if (key.charAt(i) < 0x21 || key.charAt(i) > 0x7E) {
        return false;
      }
    }
    return true;
  }
}
