package com.datanadhi.hub.intake;

import com.datanadhi.hub.record.Content;
import java.util.HexFormat;

/// What is kept in memory of a [Content]: all of the digest, and 64 bits of the pipelines' digest.
record Fingerprint(long d0, long d1, long d2, long d3, long pipelines) {
  static Fingerprint of(Content content) {
    String digest = content.digest();
    return new Fingerprint(
        HexFormat.fromHexDigitsToLong(digest, 0, 16),
        HexFormat.fromHexDigitsToLong(digest, 16, 32),
        HexFormat.fromHexDigitsToLong(digest, 32, 48),
        HexFormat.fromHexDigitsToLong(digest, 48, 64),
        HexFormat.fromHexDigitsToLong(content.pipelinesDigest(), 0, 16));
  }

  /// The content as far as it is kept: its pipelines' digest has only its first 16 digits.
  Content content() {
    HexFormat hex = HexFormat.of();
    return new Content(
        hex.toHexDigits(d0) + hex.toHexDigits(d1) + hex.toHexDigits(d2) + hex.toHexDigits(d3),
        hex.toHexDigits(pipelines));
  }
}
