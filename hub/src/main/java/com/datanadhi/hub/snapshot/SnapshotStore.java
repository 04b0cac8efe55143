package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.objects.ObjectInfo;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The snapshots in an object store: `snapshots/<tenant>/snap_<time>/` with canonical.db,
/// mailbox.db if the tenant has one, and manifest.json, which comes last: without it the others do
/// not count. Thread-safe.
///
/// Methods throw [ObjectStoreException] when the store does not answer.
public final class SnapshotStore {
  private final ObjectStore objects;

  public SnapshotStore(ObjectStore objects) {
    this.objects = objects;
  }

  ObjectStore objects() {
    return objects;
  }

  /// The tenants that have objects of snapshots, `_control` included, in order.
  public List<String> tenants() throws ObjectStoreException, InterruptedException {
    return objects.folders(SnapshotKeys.ROOT).stream().filter(SnapshotKeys::isTenant).toList();
  }

  /// Folders that belong to no tenant: one line each.
  public List<String> unknownFolders() throws ObjectStoreException, InterruptedException {
    return objects.folders(SnapshotKeys.ROOT).stream()
        .filter(name -> !SnapshotKeys.isTenant(name))
        .map(name -> SnapshotKeys.ROOT + name + "/: no tenant has such a name")
        .toList();
  }

  /// All snapshots of a tenant. Reads each manifest.
  public SnapshotList list(String tenant) throws ObjectStoreException, InterruptedException {
    Map<String, List<ObjectInfo>> folders = new TreeMap<>();
    List<String> others = new ArrayList<>();
    String prefix = SnapshotKeys.ofTenant(tenant);
    objects.list(
        prefix,
        object -> {
          String[] path = object.key().substring(prefix.length()).split("/", -1);
          if (path.length == 2
              && SnapshotKeys.time(path[0]) != null
              && SnapshotKeys.FILES.contains(path[1])) {
            folders.computeIfAbsent(path[0], _ -> new ArrayList<>()).add(object);
          } else {
            others.add(object.key());
          }
          return true;
        });
    List<Snapshot> finished = new ArrayList<>();
    Map<String, List<ObjectInfo>> unfinished = new LinkedHashMap<>();
    List<String> faults = new ArrayList<>();
    for (Map.Entry<String, List<ObjectInfo>> folder : folders.entrySet()) {
      String id = folder.getKey();
      try {
        String manifest = SnapshotKeys.key(tenant, id, Manifest.NAME);
        boolean hasManifest = folder.getValue().stream().anyMatch(o -> o.key().equals(manifest));
        Snapshot snapshot = hasManifest ? find(tenant, id) : null;
        if (snapshot == null) {
          unfinished.put(id, folder.getValue());
        } else {
          finished.add(snapshot);
          addUnnamed(snapshot, folder.getValue(), others);
        }
      } catch (InvalidManifestException invalid) {
        faults.add(String.valueOf(invalid.getMessage()));
      }
    }
    finished.sort(Snapshot.BY_SEQ);
    return new SnapshotList(finished, unfinished, faults, others);
  }

  /// Adds the objects in a snapshot's folder that its manifest does not name.
  private static void addUnnamed(
      Snapshot snapshot, List<ObjectInfo> objects, List<String> unnamed) {
    for (ObjectInfo object : objects) {
      String name = object.key().substring(object.key().lastIndexOf('/') + 1);
      if (!name.equals(Manifest.NAME) && !snapshot.manifest().files().containsKey(name)) {
        unnamed.add(object.key());
      }
    }
  }

  /// The finished snapshot with the highest seq, or null. Manifests that cannot be used are passed
  /// over: [#list] tells them.
  public @Nullable Snapshot newest(String tenant)
      throws ObjectStoreException, InterruptedException {
    List<Snapshot> finished = list(tenant).finished();
    return finished.isEmpty() ? null : finished.getLast();
  }

  /// The snapshot with this id, or null if there is no finished one.
  public @Nullable Snapshot find(String tenant, String id)
      throws ObjectStoreException, InvalidManifestException, InterruptedException {
    if (SnapshotKeys.time(id) == null) {
      return null;
    }
    String key = SnapshotKeys.key(tenant, id, Manifest.NAME);
    try {
      byte[] json = objects.read(key, ManifestJson.MAX_BYTES);
      return new Snapshot(tenant, id, ManifestJson.decode(tenant, id, json));
    } catch (ObjectStoreException failed) {
      if (failed.kind() == Kind.MISSING) {
        return null;
      }
      ObjectInfo found = failed.kind() == Kind.REFUSED ? objects.head(key) : null;
      if (found != null && found.bytes() > ManifestJson.MAX_BYTES) {
        throw new InvalidManifestException(key, "has " + found.bytes() + " bytes");
      }
      throw failed;
    }
  }

  /// Writes the databases of a snapshot into a directory, for their owner alone and on stable
  /// storage, after everything about them was compared: sizes and digests with the manifest,
  /// SQLite's check of all pages, and what they say of themselves with the manifest.
  ///
  /// @param directory exists and has no such files. After a failure what was written is deleted
  /// @throws InvalidSnapshotException they are not what the manifest says; tells all faults
  /// @throws IOException the store or the directory failed
  public void download(Snapshot snapshot, Path directory)
      throws IOException, InvalidSnapshotException, InterruptedException {
    SnapshotFiles files = new SnapshotFiles(objects, snapshot, directory);
    boolean isRight = false;
    try {
      List<String> faults = files.download();
      if (!faults.isEmpty()) {
        throw new InvalidSnapshotException(String.join("\n", faults));
      }
      isRight = true;
    } finally {
      if (!isRight) {
        files.delete();
      }
    }
  }
}
