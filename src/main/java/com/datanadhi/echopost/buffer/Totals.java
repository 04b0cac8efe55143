package com.datanadhi.echopost.buffer;

/// The ledger at one commit: `accepted = delivered + pending + rejected + discarded`.
///
/// @param accepted records ever taken
/// @param delivered records the server has acknowledged
/// @param rejected records in the table `rejected`
/// @param discarded rejected records that an operator has deleted for good
/// @param lastId the newest id given, 0 when none was
/// @param settledThrough every id up to this one is delivered or was rejected
public record Totals(
    long accepted,
    long delivered,
    long rejected,
    long discarded,
    long lastId,
    long settledThrough) {
  /// Records waiting for their delivery.
  public long pending() {
    return accepted - delivered - rejected - discarded;
  }

  Totals withAppended(int count) {
    return new Totals(
        accepted + count, delivered, rejected, discarded, lastId + count, settledThrough);
  }

  Totals withDelivered(int count, long through) {
    return new Totals(accepted, delivered + count, rejected, discarded, lastId, through);
  }

  Totals withRejected(long id) {
    return new Totals(accepted, delivered, rejected + 1, discarded, lastId, id);
  }

  /// Rejected records are pending again, each under a new id. They were accepted once.
  Totals withRedriven(int count) {
    return new Totals(
        accepted, delivered, rejected - count, discarded, lastId + count, settledThrough);
  }

  Totals withDiscarded(int count) {
    return new Totals(
        accepted, delivered, rejected - count, discarded + count, lastId, settledThrough);
  }

  /// Pending records are gone that nobody has settled.
  Totals withMissing(long count) {
    return new Totals(accepted - count, delivered, rejected, discarded, lastId, settledThrough);
  }

  /// The table `rejected` has `counted` rows, whatever the ledger said.
  Totals withRejectedCounted(long counted) {
    return new Totals(
        accepted - (rejected - counted), delivered, counted, discarded, lastId, settledThrough);
  }
}
