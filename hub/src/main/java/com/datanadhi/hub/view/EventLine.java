package com.datanadhi.hub.view;

/// The part of a row of `events` that a line of NDJSON has.
///
/// @param receivedAt milliseconds since 1970
/// @param pipelines a JSON array
/// @param logData byte for byte as it came
@SuppressWarnings("ArrayRecordComponent") // never compared
public record EventLine(long seq, String key, long receivedAt, String pipelines, byte[] logData)
    implements StoredPayload {}
