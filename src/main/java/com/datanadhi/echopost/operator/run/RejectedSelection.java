package com.datanadhi.echopost.operator.run;

import com.datanadhi.echopost.buffer.RejectedList;
import com.datanadhi.echopost.record.RejectedRange;
import org.jspecify.annotations.Nullable;

/// A selection of rejected records: all, one by its id, or those with one status.
///
/// @param id the id of the record; null for any
/// @param status the HTTP status; null for any
public record RejectedSelection(@Nullable Long id, @Nullable Integer status) {
  /// All rejected records.
  public static final RejectedSelection ALL = new RejectedSelection(null, null);

  /// The range for doing `action` to the selected records with ids up to `lastId`.
  RejectedRange toRange(RejectedRange.Action action, long lastId) {
    return id == null
        ? new RejectedRange(action, 0, lastId, status)
        : new RejectedRange(action, id - 1, id, null);
  }

  /// Whether `entry` is selected.
  public boolean contains(RejectedList.Summary entry) {
    return (id == null || id == entry.id()) && (status == null || status == entry.status());
  }

  /// The text to print if no record is selected.
  public String noneFound() {
    if (id != null) {
      return "no rejected record has id " + id;
    }
    return status == null ? "no record is rejected" : "no rejected record has status " + status;
  }
}
