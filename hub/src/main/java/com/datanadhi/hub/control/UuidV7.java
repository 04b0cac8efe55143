package com.datanadhi.hub.control;

import java.util.UUID;

/// UUIDs of version 7 (RFC 9562, 5.7): 48 bits of milliseconds since 1970, then random bits.
final class UuidV7 {
  private UuidV7() {}

  static UUID at(long millis) {
    UUID random = UUID.randomUUID();
    long high = (millis << 16) | 0x7000 | (random.getMostSignificantBits() & 0x0FFF);
    return new UUID(high, random.getLeastSignificantBits());
  }
}
