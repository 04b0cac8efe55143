package com.datanadhi.hub.record;

import java.util.List;

/// A record: one JSON value with its pipelines.
///
/// @param pipelines in order; each can be encoded in UTF-8
/// @param logData byte for byte as it came, at most 4 MiB
@SuppressWarnings("ArrayRecordComponent") // never compared
public record RecordData(List<String> pipelines, byte[] logData) {
  public RecordData {
    pipelines = List.copyOf(pipelines);
  }
}
