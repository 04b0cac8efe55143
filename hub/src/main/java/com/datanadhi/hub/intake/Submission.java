package com.datanadhi.hub.intake;

import com.datanadhi.hub.record.RecordData;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A transaction as a door hands it over: parsed, but not judged. Each `logData` is one JSON text
/// by the agent's rules; the door has checked that with `JsonValidator`.
///
/// @param key as sent, without its quotes; null if none was: the hub then makes one
/// @param quarantine why the records cannot be stored; they are then kept in `quarantine`, without
///   a key of the sender, and need not be JSON. Null for records that can be stored
public record Submission(
    @Nullable String key, List<RecordData> records, @Nullable String quarantine) {
  public Submission {
    records = List.copyOf(records);
    if (quarantine != null && key != null) {
      throw new IllegalArgumentException("a transaction in quarantine has no key of its sender");
    }
  }

  /// A transaction that can be stored.
  public Submission(@Nullable String key, List<RecordData> records) {
    this(key, records, null);
  }
}
