package com.datanadhi.hub.view;

/// The part of a row of `events` that a line of NDJSON has. Texts are UTF-8, as SQLite has them:
/// what is only passed on is not decoded.
///
/// @param receivedAt milliseconds since 1970
/// @param pipelines a JSON array
/// @param logData byte for byte as it came
@SuppressWarnings("ArrayRecordComponent") // never compared
public record EventLine(long seq, byte[] key, long receivedAt, byte[] pipelines, byte[] logData)
    implements StoredPayload {
  @Override
  public long bytes() {
    return pipelines.length + (long) logData.length;
  }
}
