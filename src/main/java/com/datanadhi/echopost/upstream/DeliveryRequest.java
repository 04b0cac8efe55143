package com.datanadhi.echopost.upstream;

/// One record as the main server is to get it.
///
/// @param pipelines a JSON array in UTF-8
/// @param jsonData one JSON text in UTF-8, sent byte for byte
/// @param apiKey the record's own key in UTF-8, empty for the agent's
/// @param idempotencyKey printable ASCII, the same at each attempt
@SuppressWarnings("ArrayRecordComponent") // nobody compares deliveries
public record DeliveryRequest(
    byte[] pipelines, byte[] jsonData, byte[] apiKey, String idempotencyKey) {}
