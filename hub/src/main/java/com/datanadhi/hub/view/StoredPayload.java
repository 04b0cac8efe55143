package com.datanadhi.hub.view;

/// What every reading of a record has.
public interface StoredPayload {
  long seq();

  /// The bytes of `log_data` and `pipelines`, which a page is bounded by.
  long bytes();
}
