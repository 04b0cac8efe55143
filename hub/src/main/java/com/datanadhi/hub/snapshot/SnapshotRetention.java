package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.objects.ObjectInfo;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.time.Clock;
import java.util.List;
import java.util.Map;

/// Deletes snapshots that are too many, and folders whose snapshot was never finished. Nothing that
/// it does not know is deleted: manifests that cannot be used stay, with their files.
final class SnapshotRetention {
  /// Age by the store's clock at which an unfinished folder is removed.
  static final long UNFINISHED_MILLIS = 24 * 3_600_000L;

  private final SnapshotStore store;
  private final int keep;
  private final Clock clock;

  /// @param keep how many finished snapshots of a tenant stay, at least 1
  SnapshotRetention(SnapshotStore store, int keep, Clock clock) {
    if (keep < 1) {
      throw new IllegalArgumentException("at least 1 snapshot is kept, not " + keep);
    }
    this.store = store;
    this.keep = keep;
    this.clock = clock;
  }

  /// Deletes what is too much of a tenant's snapshots.
  ///
  /// @param proven the newest one that was read back and compared by this process, which stays. The
  ///   others were compared before their manifests were written, which can be long ago
  void prune(SnapshotList list, Snapshot proven) throws ObjectStoreException, InterruptedException {
    List<Snapshot> finished = list.finished();
    int surplus = finished.size() - keep;
    for (Snapshot snapshot : finished.subList(0, Math.max(0, surplus))) {
      if (!snapshot.id().equals(proven.id())) {
        delete(snapshot);
      }
    }
  }

  /// The manifest goes first: what is left then does not count.
  private void delete(Snapshot snapshot) throws ObjectStoreException, InterruptedException {
    ObjectStore objects = store.objects();
    objects.delete(snapshot.key(Manifest.NAME));
    for (String file : snapshot.manifest().files().keySet()) {
      objects.delete(snapshot.key(file));
    }
  }

  /// Deletes folders without a manifest whose newest object is older than a day.
  void removeUnfinished(SnapshotList list) throws ObjectStoreException, InterruptedException {
    for (Map.Entry<String, List<ObjectInfo>> folder : list.unfinished().entrySet()) {
      List<ObjectInfo> files = folder.getValue();
      if (isOld(files, clock.wallMillis())) {
        for (ObjectInfo file : files) {
          store.objects().delete(file.key());
        }
      }
    }
  }

  static boolean isOld(List<ObjectInfo> files, long now) {
    return files.stream().allMatch(file -> now - file.createdAt() > UNFINISHED_MILLIS);
  }
}
