package com.datanadhi.echopost.buffer;

/// The ledger at one commit: `accepted = delivered + pending + rejected`.
///
/// @param accepted records ever taken
/// @param delivered records the server has acknowledged
/// @param rejected records put aside in the table `rejected`
/// @param lastId the newest id given, 0 when none was
/// @param settledThrough every id up to this one is delivered or rejected
public record Totals(
    long accepted, long delivered, long rejected, long lastId, long settledThrough) {
  /// Records waiting for their delivery.
  public long pending() {
    return accepted - delivered - rejected;
  }

  Totals withAppended(int count) {
    return new Totals(accepted + count, delivered, rejected, lastId + count, settledThrough);
  }

  Totals withDelivered(int count, long through) {
    return new Totals(accepted, delivered + count, rejected, lastId, through);
  }

  Totals withRejected(long id) {
    return new Totals(accepted, delivered, rejected + 1, lastId, id);
  }

  Totals withMissing(long count) {
    return new Totals(accepted - count, delivered, rejected, lastId, settledThrough);
  }
}
