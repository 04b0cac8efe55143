package com.datanadhi.hub.snapshot;

import java.util.Collection;

/// Tells whose snapshots are to be taken. Called by the thread of [SnapshotLoop], and by those that
/// ask for its figures.
@FunctionalInterface
public interface SnapshotTenants {
  /// The tenants that have a database and are not parked, `_control` included, in any order.
  Collection<String> names();
}
