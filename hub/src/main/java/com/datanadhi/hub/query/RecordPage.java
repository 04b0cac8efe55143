package com.datanadhi.hub.query;

import com.datanadhi.hub.view.StoredPayload;
import java.util.List;

/// A bounded part of a tenant's records.
///
/// @param records in order of seq
/// @param next the seq to continue from: nothing before it matches and is not in `records`
/// @param more whether a bound ended the page; if not, it reached the end of what is stored
public record RecordPage<R extends StoredPayload>(List<R> records, long next, boolean more) {
  public RecordPage {
    records = List.copyOf(records);
  }

  /// The bytes of its records.
  public long bytes() {
    return records.stream().mapToLong(StoredPayload::bytes).sum();
  }
}
