package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.objects.ObjectInfo;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Looks for what is wrong with snapshots in the store: everything is downloaded and compared. Not
/// thread-safe.
///
/// What it cannot judge by itself is whether a snapshot is missing as a whole, and whether somebody
/// has made a database, its digests and its manifest again to fit each other: compare the chains in
/// [Verified] with the archive's.
public final class SnapshotVerifier {
  private final SnapshotStore store;
  private final Path scratch;
  private final Clock clock;

  /// @param scratch a directory that exists, with room for one snapshot of the largest tenant
  public SnapshotVerifier(SnapshotStore store, Path scratch, Clock clock) {
    this.store = store;
    this.scratch = scratch;
    this.clock = clock;
  }

  /// What was found.
  ///
  /// @param faults a line each that begins with the key of an object, in order of the snapshots
  /// @param sound the snapshots without a fault, in order of [Snapshot#BY_SEQ]: their seq and chain
  ///   are those inside of canonical.db too
  /// @param positions of the sound snapshots: compare them with the archive's
  /// @param unfinished folders without manifest that are not older than a day, such as one that is
  ///   being made. Older ones are faults, since a hub removes them
  public record Verified(
      List<String> faults,
      List<Snapshot> sound,
      List<SnapshotPositions> positions,
      List<String> unfinished) {}

  /// Verifies all snapshots of a tenant.
  ///
  /// @throws IOException the store or the scratch directory failed, so nothing is known
  public Verified verify(String tenant) throws IOException, InterruptedException {
    SnapshotList list = store.list(tenant);
    List<String> faults = new ArrayList<>(list.faults());
    for (String key : list.others()) {
      faults.add(key + ": no snapshot has such an object");
    }
    List<Snapshot> sound = new ArrayList<>();
    List<SnapshotPositions> positions = new ArrayList<>();
    for (Snapshot snapshot : list.finished()) {
      List<String> found = verify(snapshot, positions);
      faults.addAll(found);
      if (found.isEmpty()) {
        sound.add(snapshot);
      }
    }
    List<String> unfinished = new ArrayList<>();
    for (Map.Entry<String, List<ObjectInfo>> folder : list.unfinished().entrySet()) {
      if (SnapshotRetention.isOld(folder.getValue(), clock.wallMillis())) {
        faults.add(
            SnapshotKeys.key(tenant, folder.getKey(), Manifest.NAME)
                + ": is missing, and the other objects of its folder are older than a day");
      } else {
        unfinished.add(SnapshotKeys.folder(tenant, folder.getKey()));
      }
    }
    return new Verified(faults, sound, positions, unfinished);
  }

  private List<String> verify(Snapshot snapshot, List<SnapshotPositions> positions)
      throws IOException, InterruptedException {
    Path directory =
        Files.createTempDirectory(
            scratch,
            "verify-",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    SnapshotFiles files = new SnapshotFiles(store.objects(), snapshot, directory);
    try {
      List<String> found = files.download();
      SnapshotPositions ofRecords = files.positions();
      if (found.isEmpty() && ofRecords != null) {
        positions.add(ofRecords);
      }
      return found;
    } finally {
      files.delete();
      Files.delete(directory);
    }
  }
}
