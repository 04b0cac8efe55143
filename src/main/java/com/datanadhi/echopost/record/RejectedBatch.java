package com.datanadhi.echopost.record;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What an operator decides about rejected records, from one id to another. It is carried out a
/// slice at a time, in the order in which the records were rejected, which is that of their ids.
///
/// @param action what becomes of them
/// @param afterId the id before the first
/// @param throughId the last id; what is rejected later has a higher one
/// @param status only records with this status; null for any
public record RejectedBatch(Action action, long afterId, long throughId, @Nullable Integer status) {
  /// What becomes of rejected records.
  public enum Action {
    /// They are pending again, behind all others, under their old idempotency keys.
    REDRIVE,
    /// They are deleted for good.
    DISCARD
  }

  /// One slice, done in one transaction: at most 1,000 records are looked at, or 1 MiB and one
  /// more.
  ///
  /// @param throughId how far it came; the sweep is complete when that is the sweep's own end
  /// @param count how many records were redriven or discarded
  /// @param damagedIds records that were not redriven, since their checksums do not match
  public record Slice(long throughId, int count, List<Long> damagedIds) {}

  /// What is left of this sweep after `slice`.
  public RejectedBatch after(Slice slice) {
    return new RejectedBatch(action, slice.throughId(), throughId, status);
  }

  /// Whether nothing is left of it.
  public boolean isComplete() {
    return afterId >= throughId;
  }

  /// Whether a record is meant.
  public boolean covers(long id, int itsStatus) {
    return id > afterId && id <= throughId && (status == null || status == itsStatus);
  }
}
