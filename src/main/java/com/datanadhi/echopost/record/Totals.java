package com.datanadhi.echopost.record;

import java.util.List;

/// The ledger at one commit: `accepted = delivered + pending + rejected + discarded`.
///
/// @param accepted records ever accepted
/// @param delivered records that the server has acknowledged
/// @param rejected records in the table `rejected`
/// @param discarded rejected records that an operator has deleted
/// @param lastId the newest id that was assigned, 0 when none was
/// @param settledThrough every id up to this one is delivered or was rejected
/// @param salvagedThrough a multiple of [#EPOCH]; ids above it have no gaps, and ids up to it come
///   from a damaged buffer and may have gaps
public record Totals(
    long accepted,
    long delivered,
    long rejected,
    long discarded,
    long lastId,
    long settledThrough,
    long salvagedThrough) {
  /// After damage, new ids continue above the next multiple of this, so that salvaged records keep
  /// their ids and come first.
  public static final long EPOCH = 1L << 40;

  /// The ledger of a buffer that was never damaged.
  public Totals(
      long accepted,
      long delivered,
      long rejected,
      long discarded,
      long lastId,
      long settledThrough) {
    this(accepted, delivered, rejected, discarded, lastId, settledThrough, 0);
  }

  /// The multiple of [#EPOCH] above which `id` was assigned.
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

  /// The number of missing pending rows, by the ids: every id above the settled ones is pending. 0
  /// while ids of a damaged buffer, which may have gaps, are among them.
  public long missing() {
    return settledThrough < salvagedThrough ? 0 : pending() - (lastId - settledThrough);
  }

  /// Whether `rows` can be the first pending records: with the expected ids, or, where ids may have
  /// gaps, with ascending ids and sound.
  public boolean isConsistentWith(List<PendingRecord> rows) {
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

  /// New records are pending.
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

  /// The server has acknowledged `count` records, the last with the id `through`.
  public Totals withDelivered(int count, long through) {
    return new Totals(
        accepted, delivered + count, rejected, discarded, lastId, through, salvagedThrough);
  }

  /// The record `id`, the first pending one, is rejected.
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

  /// Rejected records are deleted.
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

  /// Pending records are missing that were not settled.
  public Totals withMissing(long count) {
    return new Totals(
        accepted - count, delivered, rejected, discarded, lastId, settledThrough, salvagedThrough);
  }

  /// `count` records of a damaged buffer are restored, `intoRejected` of them into the table
  /// `rejected`.
  public Totals withSalvaged(int count, int intoRejected) {
    return new Totals(
        accepted + count,
        delivered,
        rejected + intoRejected,
        discarded,
        lastId,
        settledThrough,
        salvagedThrough);
  }

  /// Ids continue above `epoch`.
  public Totals withEpoch(long epoch) {
    return new Totals(
        accepted, delivered, rejected, discarded, Math.max(lastId, epoch), settledThrough, epoch);
  }

  /// The table `rejected` has `counted` rows, which corrects the ledger.
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
