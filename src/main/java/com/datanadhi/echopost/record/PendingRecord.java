package com.datanadhi.echopost.record;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.jspecify.annotations.Nullable;

/// A record in the buffer that waits for its delivery.
///
/// @param id its place in the replay order
/// @param content what was accepted
/// @param idempotencyKey the same at every attempt
/// @param sound whether the stored checksum matches; if not, the record must never be sent
public record PendingRecord(long id, NewRecord content, String idempotencyKey, boolean sound) {
  /// A record as it was read.
  ///
  /// @param crc its stored checksum
  /// @param bufferId the buffer it was read from
  public static PendingRecord of(long id, NewRecord content, long crc, String bufferId) {
    return new PendingRecord(
        id, content, key(bufferId, id, content), crc == Checksum.of(id, content));
  }

  /// The idempotency key of a record that is, or was, in the buffer `bufferId` with `id`: that of
  /// its row, or `<buffer id>-<id>` for a row of an older version, which has none.
  public static String key(String bufferId, long id, NewRecord content) {
    byte @Nullable [] origin = content.origin();
    return origin == null ? bufferId + "-" + id : new String(origin, UTF_8);
  }

  /// The content of such a record with its key in it, so that it keeps the key in another row.
  public static NewRecord withKey(String bufferId, long id, NewRecord content) {
    return content.origin() == null
        ? content.withOrigin(key(bufferId, id, content).getBytes(UTF_8))
        : content;
  }
}
