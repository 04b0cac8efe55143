package com.datanadhi.hub.apply;

import java.time.Duration;

/// How far each tenant's database is, for those who wait for a record to become visible.
/// Thread-safe.
public interface AppliedPositions {
  /// Waits until the log record with `offset` is applied for the tenant.
  ///
  /// @return whether it was in time
  boolean awaitApplied(String tenant, String stream, long offset, Duration timeout)
      throws InterruptedException;

  /// Waits until the tenant's seq is at least `seq`.
  ///
  /// @return whether it was in time
  boolean awaitSeq(String tenant, long seq, Duration timeout) throws InterruptedException;

  /// Asks for the tenant's mailbox.db to be brought up to its canonical.db, and does not wait.
  void followMailbox(String tenant);

  /// Watches for items of a pipeline that arrive in the tenant's mailbox.db.
  ItemWatchers.Watch watchItems(String tenant, String pipeline);
}
