package com.datanadhi.echopost.record;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The CRC-32C (RFC 3720, appendix B.4) that is stored with each record, over its id and its whole
/// content: a record that was damaged, or is in the place of another, is never sent.
public final class Checksum {
  private Checksum() {}

  /// The checksum as an unsigned 32-bit number.
  public static long of(long id, NewRecord content) {
    CRC32C crc = new CRC32C();
    ByteBuffer head = ByteBuffer.allocate(16);
    head.putLong(id).putLong(content.receivedAt());
    crc.update(head.flip());
    add(crc, content.jsonData());
    add(crc, content.pipelines());
    add(crc, content.apiKey());
    add(crc, content.origin());
    return crc.getValue();
  }

  private static void add(CRC32C crc, byte @Nullable [] text) {
    int length = text == null ? -1 : text.length;
    crc.update(length >>> 24);
    crc.update(length >>> 16);
    crc.update(length >>> 8);
    crc.update(length);
    if (text != null) {
      crc.update(text, 0, text.length);
    }
  }
}
