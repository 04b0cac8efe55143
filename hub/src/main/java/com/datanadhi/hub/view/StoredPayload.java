package com.datanadhi.hub.view;

/// What every reading of a record has.
public interface StoredPayload {
  long seq();

  /// A JSON array.
  String pipelines();

  /// Byte for byte as it came.
  byte[] logData();
}
