package com.datanadhi.hub.view;

import org.jspecify.annotations.Nullable;

/// The one row of the table `state` of a canonical.db.
///
/// @param epoch of the last applied log record, or null before the first
/// @param appliedOffset the last applied offset of `stream`, or -1
/// @param seq the last seq, or 0
/// @param chain after `seq`, in lower-case hex
/// @param firstSeq the first seq that is still in `events`; `seq + 1` if none is
/// @param chainBeforeFirst the chain at `firstSeq - 1`
/// @param lastReceivedAt of the last stored record, in milliseconds since 1970, or 0
/// @param keysForgottenBefore keys that were stored before this moment are not known any more
/// @param stored log records of which a transaction was stored
/// @param duplicates log records with nothing but transactions that were stored before
/// @param conflicts log records of type conflict, and those that applying found to be one
/// @param skipped log records that an operator skipped
public record ViewState(
    String tenant,
    @Nullable String epoch,
    String stream,
    long appliedOffset,
    long seq,
    String chain,
    long firstSeq,
    String chainBeforeFirst,
    long lastReceivedAt,
    long keysForgottenBefore,
    long stored,
    long duplicates,
    long conflicts,
    long skipped) {
  /// The same with more log records that stored nothing.
  public ViewState withDuplicates(long more) {
    return new ViewState(
        tenant,
        epoch,
        stream,
        appliedOffset,
        seq,
        chain,
        firstSeq,
        chainBeforeFirst,
        lastReceivedAt,
        keysForgottenBefore,
        stored,
        duplicates + more,
        conflicts,
        skipped);
  }

  /// The same history behind a record of another log, of which nothing is counted yet.
  ///
  /// @param newEpoch of that record, or of the log
  /// @param newOffset of that record, or -1
  public ViewState inLog(String newEpoch, long newOffset) {
    return new ViewState(
        tenant,
        newEpoch,
        stream,
        newOffset,
        seq,
        chain,
        firstSeq,
        chainBeforeFirst,
        lastReceivedAt,
        keysForgottenBefore,
        0,
        0,
        0,
        0);
  }
}
