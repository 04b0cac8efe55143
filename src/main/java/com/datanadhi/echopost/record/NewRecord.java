package com.datanadhi.echopost.record;

import org.jspecify.annotations.Nullable;

/// A record on its way into the buffer. The arrays are not copied: they belong to the record from
/// here on.
///
/// @param receivedAt UTC, milliseconds since 1970
/// @param jsonData the payload: one JSON text in UTF-8, kept byte for byte
/// @param pipelines a JSON array of strings, in UTF-8
/// @param apiKey the record's own key in UTF-8, empty for the agent's
/// @param origin the idempotency key that the client gave, or null
@SuppressWarnings("ArrayRecordComponent") // identity is all that anybody compares
public record NewRecord(
    long receivedAt, byte[] jsonData, byte[] pipelines, byte[] apiKey, @Nullable String origin) {

  /// The same record, to be known to the server by `key`.
  public NewRecord withOrigin(String key) {
    return new NewRecord(receivedAt, jsonData, pipelines, apiKey, key);
  }

  /// What the record weighs against the bound on waiting records, in bytes.
  public int size() {
    return jsonData.length + pipelines.length + apiKey.length;
  }
}
