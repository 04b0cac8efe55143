package com.datanadhi.echopost.record;

import org.jspecify.annotations.Nullable;

/// A record as it stands in the buffer, waiting for its delivery.
///
/// @param id its place in the replay order
/// @param content what was accepted
/// @param idempotencyKey the same at each attempt for ever
/// @param sound whether the stored checksum matches; a record that is not must never be sent
public record PendingRecord(long id, NewRecord content, String idempotencyKey, boolean sound) {
  public static PendingRecord of(long id, NewRecord content, long crc, String bufferId) {
    return new PendingRecord(
        id, content, key(bufferId, id, content), crc == Checksum.of(id, content));
  }

  /// The idempotency key of a record that stands, or stood, in the buffer `bufferId` under `id`.
  public static String key(String bufferId, long id, NewRecord content) {
    @Nullable String origin = content.origin();
    return origin == null ? bufferId + "-" + id : origin;
  }
}
