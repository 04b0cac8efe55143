package com.datanadhi.hub.record;

import java.security.SecureRandom;
import java.util.UUID;

/// Makes UUIDs of version 7 (RFC 9562, section 5.7, with a counter as its method 1): each is larger
/// than the one before, also within a millisecond and when the clock steps back. Thread-safe.
public final class Uuid7 {
  private static final int COUNTER_BITS = 12;

  private final SecureRandom random = new SecureRandom();
  private long last;

  /// A new UUID.
  ///
  /// @param wallMillis milliseconds since 1970
  public UUID next(long wallMillis) {
    long tail = random.nextLong();
    long stamp;
    synchronized (this) {
      // The counter runs over into the milliseconds when 4,096 are made within one.
      last = Math.max(last + 1, wallMillis << COUNTER_BITS);
      stamp = last;
    }
    long high = (stamp >>> COUNTER_BITS) << 16 | 0x7000L | (stamp & ((1 << COUNTER_BITS) - 1));
    return new UUID(high, (tail & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L);
  }
}
