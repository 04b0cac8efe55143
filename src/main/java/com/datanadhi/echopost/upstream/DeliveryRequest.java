package com.datanadhi.echopost.upstream;

/// One record as it is sent to the main server. The arrays are not copied and must not change.
///
/// @param pipelines a JSON array in UTF-8
/// @param jsonData one JSON value in UTF-8, sent byte for byte
/// @param apiKey the record's API key in UTF-8; empty for the agent's
/// @param idempotencyKey printable ASCII, the same at each attempt
@SuppressWarnings("ArrayRecordComponent") // never compared
public record DeliveryRequest(
    byte[] pipelines, byte[] jsonData, byte[] apiKey, String idempotencyKey) {
  /// The bytes of the record's line in a batch, its line end included; at most so many.
  public int lineLength() {
    return BatchBody.lineLength(this);
  }

  /// Whether the record can be one line: there is no CR or LF in it.
  public boolean fitsOneLine() {
    return !LineEnds.areIn(jsonData) && !LineEnds.areIn(pipelines);
  }
}
