package com.datanadhi.echopost.record;

import java.util.List;

/// The ledger at one commit: `accepted = delivered + pending + rejected + discarded`.
///
/// @param accepted records ever taken
/// @param delivered records the server has acknowledged
/// @param rejected records in the table `rejected`
/// @param discarded rejected records that an operator has deleted for good
/// @param lastId the newest id given, 0 when none was
/// @param settledThrough every id up to this one is delivered or was rejected
/// @param salvagedThrough ids above this one, a multiple of [#EPOCH], have no gaps; those up to it
///   come from a damaged buffer, and have
public record Totals(
    long accepted,
    long delivered,
    long rejected,
    long discarded,
    long lastId,
    long settledThrough,
    long salvagedThrough) {
  /// After damage ids begin anew above the next multiple of this, so that what is salvaged can keep
  /// its own, and comes first.
  public static final long EPOCH = 1L << 40;

  /// The ledger of a buffer without a past.
  public Totals(
      long accepted,
      long delivered,
      long rejected,
      long discarded,
      long lastId,
      long settledThrough) {
    this(accepted, delivered, rejected, discarded, lastId, settledThrough, 0);
  }

  /// The multiple of [#EPOCH] above which `id` was given.
  public static long epochOf(long id) {
    return Math.max(0, id - 1) / EPOCH * EPOCH;
  }

  /// The next multiple of [#EPOCH] that no id up to `last` has reached.
  public static long epochAfter(long last) {
    return epochOf(last) + EPOCH;
  }

  /// Records waiting for their delivery.
  public long pending() {
    return accepted - delivered - rejected - discarded;
  }

  /// How many rows the table `records` has fewer than the ledger says, by the ids: as many are
  /// pending as there are ids left. Not to be told while those of a damaged buffer are among them.
  public long missing() {
    return settledThrough < salvagedThrough ? 0 : pending() - (lastId - settledThrough);
  }

  /// Whether `rows` can be the first pending ones: their ids as they must be, or, where ids may
  /// have gaps, at least all sound.
  public boolean accountsFor(List<PendingRecord> rows) {
    long expected = settledThrough + 1;
    for (PendingRecord row : rows) {
      boolean inPlace =
          row.id() > salvagedThrough
              ? row.id() == Math.max(expected, salvagedThrough + 1)
              : row.sound() && row.id() >= expected;
      if (!inPlace) {
        return false;
      }
      expected = row.id() + 1;
    }
    return !rows.isEmpty() || pending() == 0;
  }

  public Totals withAppended(int count) {
    return new Totals(
        accepted + count,
        delivered,
        rejected,
        discarded,
        lastId + count,
        settledThrough,
        salvagedThrough);
  }

  public Totals withDelivered(int count, long through) {
    return new Totals(
        accepted, delivered + count, rejected, discarded, lastId, through, salvagedThrough);
  }

  public Totals withRejected(long id) {
    return new Totals(accepted, delivered, rejected + 1, discarded, lastId, id, salvagedThrough);
  }

  /// Rejected records are pending again, each under a new id. They were accepted once.
  public Totals withRedriven(int count) {
    return new Totals(
        accepted,
        delivered,
        rejected - count,
        discarded,
        lastId + count,
        settledThrough,
        salvagedThrough);
  }

  public Totals withDiscarded(int count) {
    return new Totals(
        accepted,
        delivered,
        rejected - count,
        discarded + count,
        lastId,
        settledThrough,
        salvagedThrough);
  }

  /// Pending records are gone that nobody has settled.
  public Totals withMissing(long count) {
    return new Totals(
        accepted - count, delivered, rejected, discarded, lastId, settledThrough, salvagedThrough);
  }

  /// Rows of a damaged buffer were put back, some of them into the table `rejected`.
  public Totals withSalvaged(int count, int refused) {
    return new Totals(
        accepted + count,
        delivered,
        rejected + refused,
        discarded,
        lastId,
        settledThrough,
        salvagedThrough);
  }

  /// Ids go on above `epoch`.
  public Totals withEpoch(long epoch) {
    return new Totals(
        accepted, delivered, rejected, discarded, Math.max(lastId, epoch), settledThrough, epoch);
  }

  /// The table `rejected` has `counted` rows, whatever the ledger said.
  public Totals withRejectedCounted(long counted) {
    return new Totals(
        accepted - (rejected - counted),
        delivered,
        counted,
        discarded,
        lastId,
        settledThrough,
        salvagedThrough);
  }
}
