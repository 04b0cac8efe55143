package com.datanadhi.echopost.record;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// An operator's action on the rejected records in a range of ids. It is applied batch by batch, in
/// the order of rejection, which is the order of the ids.
///
/// @param action what is done with them
/// @param afterId the id before the first
/// @param throughId the last id; records that are rejected later have higher ids
/// @param status only records with this HTTP status; null for any
public record RejectedRange(Action action, long afterId, long throughId, @Nullable Integer status) {
  /// An action on rejected records.
  public enum Action {
    /// They are pending again, behind all others and with their old idempotency keys.
    REDRIVE,
    /// They are deleted permanently.
    DISCARD
  }

  /// The result of one batch, which is one transaction and reads at most 1,000 records, and none
  /// after 1 MiB is reached.
  ///
  /// @param throughId the last id that was read; the range is complete when that is its own last id
  /// @param count how many records were redriven or discarded
  /// @param damagedIds records that were not redriven, since their checksums do not match
  public record Batch(long throughId, int count, List<Long> damagedIds) {}

  /// The rest of this range after `batch`.
  public RejectedRange after(Batch batch) {
    return new RejectedRange(action, batch.throughId(), throughId, status);
  }

  /// Whether the range of ids is empty.
  public boolean isComplete() {
    return afterId >= throughId;
  }

  /// Whether the range covers a record with this id and status.
  public boolean covers(long id, int itsStatus) {
    return id > afterId && id <= throughId && (status == null || status == itsStatus);
  }
}
