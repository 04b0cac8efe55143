package com.datanadhi.hub.view;

import static java.nio.charset.StandardCharsets.UTF_8;

/// A row of `events`.
///
/// @param part its number within its transaction, from 1
/// @param receivedAt milliseconds since 1970
/// @param pipelines a JSON array
/// @param logData byte for byte as it came; empty if only its digest is left (see [#hasContent])
@SuppressWarnings("ArrayRecordComponent") // never compared
public record StoredEvent(
    long seq,
    String key,
    int part,
    long receivedAt,
    String position,
    String pipelines,
    byte[] logData,
    String sha256,
    String durability)
    implements StoredPayload {
  /// The part that a line has.
  public EventLine line() {
    return new EventLine(seq, key.getBytes(UTF_8), receivedAt, pipelines.getBytes(UTF_8), logData);
  }

  /// Whether the content is there. Snapshots of `_control`, and databases that were made from them,
  /// have only the digest of moves of a cursor that was moved again later.
  public boolean hasContent() {
    return logData.length > 0;
  }

  @Override
  public long bytes() {
    return pipelines.length() + (long) logData.length;
  }
}
