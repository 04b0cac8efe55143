package com.datanadhi.hub.snapshot;

import java.util.Comparator;

/// A finished snapshot in the object store.
///
/// @param id the name of its folder: `snap_` and its time in RFC 3339
public record Snapshot(String tenant, String id, Manifest manifest) {
  /// By what they contain; those with the same content by their time.
  public static final Comparator<Snapshot> BY_SEQ =
      Comparator.<Snapshot>comparingLong(snapshot -> snapshot.manifest().seq())
          .thenComparing(snapshot -> snapshot.manifest().timestamp());

  /// The key of one of its objects.
  ///
  /// @param file such as [Manifest#CANONICAL]
  public String key(String file) {
    return SnapshotKeys.key(tenant, id, file);
  }

  /// The size of its databases.
  public long bytes() {
    return manifest.files().values().stream().mapToLong(FileDigest::bytes).sum();
  }
}
