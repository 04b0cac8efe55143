package com.datanadhi.echopost.record;

import org.jspecify.annotations.Nullable;

/// A record that is not in the buffer yet. The arrays are not copied: the caller must not change
/// them any more.
///
/// @param receivedAt UTC, milliseconds since 1970
/// @param jsonData the payload: one JSON text in UTF-8, preserved byte for byte
/// @param pipelines a JSON array of strings, in UTF-8
/// @param apiKey the record's own API key in UTF-8; empty for the agent's key
/// @param origin the idempotency key that the record already has: from its client, from an import,
///   or from before a redrive or a salvage; null if there is none, and the key is then that of
///   [PendingRecord#key]. The name is that of the column
@SuppressWarnings("ArrayRecordComponent") // compared by identity only
public record NewRecord(
    long receivedAt, byte[] jsonData, byte[] pipelines, byte[] apiKey, @Nullable String origin) {

  /// The same record with the idempotency key `key`.
  public NewRecord withOrigin(String key) {
    return new NewRecord(receivedAt, jsonData, pipelines, apiKey, key);
  }

  /// The size that counts towards the limit on waiting records, in bytes.
  public int size() {
    return jsonData.length + pipelines.length + apiKey.length;
  }
}
