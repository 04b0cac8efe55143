package com.datanadhi.hub.snapshot;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What the snapshots are like now.
///
/// @param taken snapshots since the process began
/// @param failures attempts that failed since then
/// @param lastSuccess when the newest of all tenants' snapshots was begun, or null; also of an
///   earlier process, as soon as its tenant was looked at
/// @param oldestAgeHours of the tenant for which it is longest: the time since its newest snapshot
///   had everything that its database had. A tenant that nothing happens to is looked at each
///   interval, so it stays below that. 0 if there is no tenant
/// @param failing tenants whose last attempt failed
/// @param lastError of the last attempt that failed, while there are failing tenants; else null
/// @param newest by tenant, of those that have one
public record SnapshotStats(
    long taken,
    long failures,
    @Nullable Instant lastSuccess,
    double oldestAgeHours,
    int failing,
    @Nullable String lastError,
    Map<String, Newest> newest) {
  /// A tenant's newest snapshot.
  ///
  /// @param time when it was begun
  public record Newest(String id, long seq, Instant time) {}
}
