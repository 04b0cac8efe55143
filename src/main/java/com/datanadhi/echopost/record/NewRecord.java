package com.datanadhi.echopost.record;

import org.jspecify.annotations.Nullable;

/// A record that is not in the buffer yet. The arrays are not copied: the caller must not change
/// them any more.
///
/// @param receivedAt UTC, milliseconds since 1970
/// @param jsonData the payload: one JSON text in UTF-8, preserved byte for byte
/// @param pipelines a JSON array of strings, in UTF-8
/// @param apiKey the record's own API key in UTF-8; empty for the agent's key
/// @param origin the idempotency key in ASCII: from its client, from an import, or from when it was
///   stored first; null if it has none. The buffer gives it one when it stores it; a row of an
///   older version has none, and its key is that of [PendingRecord#key]. The name is that of the
///   column
@SuppressWarnings("ArrayRecordComponent") // compared by identity only
public record NewRecord(
    long receivedAt, byte[] jsonData, byte[] pipelines, byte[] apiKey, byte @Nullable [] origin) {

  /// The same record with the idempotency key `key`.
  public NewRecord withOrigin(byte[] key) {
    return new NewRecord(receivedAt, jsonData, pipelines, apiKey, key);
  }

  /// The size that counts towards the limit on waiting records, in bytes.
  public int size() {
    return jsonData.length + pipelines.length + apiKey.length;
  }
}
