package com.datanadhi.hub.snapshot;

import org.jspecify.annotations.Nullable;

/// What the loop knows of a tenant. Immutable.
///
/// @param isKnown whether the store was looked at
/// @param newest its newest snapshot, or null if it has none
/// @param completeAt wall clock, ms: when the newest snapshot had all that the database had;
///   without one, when the tenant was first seen. Long.MAX_VALUE while the database has nothing
/// @param dueAt by the clock that only goes forward, when it is looked at next
/// @param failedTries in a row
/// @param error of the last of them, or null
record TenantSnapshots(
    boolean isKnown,
    @Nullable Snapshot newest,
    long completeAt,
    long dueAt,
    int failedTries,
    @Nullable String error) {
  static TenantSnapshots unknown(long wallMillis, long nanoTime) {
    return new TenantSnapshots(false, null, wallMillis, nanoTime, 0, null);
  }

  TenantSnapshots complete(@Nullable Snapshot snapshot, long at, long due) {
    return new TenantSnapshots(true, snapshot, at, due, 0, null);
  }

  TenantSnapshots failed(String reason, long due) {
    return new TenantSnapshots(isKnown, newest, completeAt, due, failedTries + 1, reason);
  }
}
