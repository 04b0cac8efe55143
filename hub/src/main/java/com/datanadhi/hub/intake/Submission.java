package com.datanadhi.hub.intake;

import com.datanadhi.hub.record.RecordData;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A transaction as a door hands it over: parsed, but not judged. Each `logData` is one JSON text
/// by the agent's rules; the door has checked that with `JsonValidator`.
///
/// @param key as sent, without its quotes; null if none was: the hub then makes one
public record Submission(@Nullable String key, List<RecordData> records) {
  public Submission {
    records = List.copyOf(records);
  }
}
