package com.datanadhi.hub.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.Digests;
import java.nio.ByteBuffer;

/// By what a key, or a conflict that is kept under a key, is found in a [KeyTail]: 128 bits of a
/// SHA-256, so no sender can make two of them meet.
record KeyId(long high, long low) {
  static KeyId of(String key) {
    return hash(key);
  }

  /// No key contains the separator.
  static KeyId ofConflict(String key, Content content) {
    return hash(key + '\0' + content.digest() + content.pipelinesDigest());
  }

  private static KeyId hash(String text) {
    ByteBuffer hash = ByteBuffer.wrap(Digests.sha256().digest(text.getBytes(ISO_8859_1)));
    return new KeyId(hash.getLong(), hash.getLong());
  }
}
