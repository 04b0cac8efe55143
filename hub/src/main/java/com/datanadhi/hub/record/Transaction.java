package com.datanadhi.hub.record;

import java.util.List;

/// One to 1,000 records under one idempotency key: all of it is stored, once, or none.
///
/// @param key 1 to 255 visible ASCII characters
public record Transaction(String tenant, String key, Content content, List<RecordData> records) {
  public Transaction {
    records = List.copyOf(records);
  }
}
