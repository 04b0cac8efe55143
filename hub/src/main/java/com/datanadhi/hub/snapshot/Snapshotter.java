package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// Takes snapshots, one at a time: a copy in the scratch directory, checked, uploaded, read back
/// and compared, and its manifest last. A crash leaves a finished snapshot, or a folder without
/// manifest, which does not count. Thread-safe: calls wait for each other.
///
/// Each object is created once. What is found under its key is compared: the same content is what
/// an answer that was lost had made; other content belongs to another snapshot, and this one takes
/// a name of a later second.
///
/// The scratch directory holds one copy at most, so it needs the room of the largest tenant.
public final class Snapshotter {
  /// How many seconds a name moves on at most.
  private static final int MAX_NAMES = 60;

  private final TenantDatabases databases;
  private final ObjectStore objects;
  private final Path scratch;
  private final String programVersion;
  private final ToLongFunction<String> archivedSeq;
  private final Clock clock;
  private final ReentrantLock lock = new ReentrantLock();
  private @Nullable LocalCopy unfinished;

  /// Deletes what an earlier process has left in the scratch directory.
  ///
  /// @param scratch `DIR/snapshot-scratch`, which is created when it is needed
  /// @param archivedSeq the last seq of a tenant that is known to be archived, or -1
  /// @throws IOException it cannot be cleaned
  public Snapshotter(
      TenantDatabases databases,
      SnapshotStore store,
      Path scratch,
      String programVersion,
      ToLongFunction<String> archivedSeq,
      Clock clock)
      throws IOException {
    this.databases = databases;
    this.objects = store.objects();
    this.scratch = scratch;
    this.programVersion = programVersion;
    this.archivedSeq = archivedSeq;
    this.clock = clock;
    clean();
  }

  /// Takes a snapshot of the tenant as it is now, also if nothing has changed since the newest one,
  /// and also if it has no records yet.
  ///
  /// @return the snapshot, which was read back and is as it should be
  /// @throws ViewException the tenant has no database, or its database cannot be copied or is
  ///   damaged
  /// @throws InvalidSnapshotException the store gives back something else than was written
  /// @throws IOException the store or the scratch directory failed
  public Snapshot take(String tenant)
      throws ViewException, IOException, InvalidSnapshotException, InterruptedException {
    return take(tenant, false);
  }

  /// The same, but if the last attempt was for this tenant and the store failed, its copy is
  /// uploaded, which is as old as the attempt.
  Snapshot takeOrContinue(String tenant)
      throws ViewException, IOException, InvalidSnapshotException, InterruptedException {
    return take(tenant, true);
  }

  private Snapshot take(String tenant, boolean mayContinue)
      throws ViewException, IOException, InvalidSnapshotException, InterruptedException {
    lock.lockInterruptibly();
    try {
      LocalCopy copy = unfinished;
      if (copy == null || !mayContinue || !copy.manifest().tenant().equals(tenant)) {
        copy = copy(tenant);
      }
      boolean isKept = false;
      try {
        Snapshot snapshot = upload(copy);
        unfinished = null;
        return snapshot;
      } catch (ObjectStoreException failed) {
        isKept = failed.kind() == Kind.UNAVAILABLE;
        throw failed;
      } finally {
        if (!isKept) {
          unfinished = null;
          clean();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private LocalCopy copy(String tenant)
      throws ViewException, IOException, InvalidSnapshotException, InterruptedException {
    unfinished = null;
    clean();
    // Before the copy, so that a store that is down costs no copy.
    Instant time =
        freeName(tenant, Instant.ofEpochMilli(clock.wallMillis()).truncatedTo(ChronoUnit.SECONDS));
    createScratch();
    boolean isMade = false;
    try {
      LocalCopy copy =
          LocalCopy.make(
              databases, tenant, scratch, time, programVersion, archivedSeq.applyAsLong(tenant));
      isMade = true;
      unfinished = copy;
      return copy;
    } finally {
      if (!isMade) {
        clean();
      }
    }
  }

  /// The first second from `time` on without an object in its folder.
  private Instant freeName(String tenant, Instant time)
      throws ObjectStoreException, InvalidSnapshotException, InterruptedException {
    for (int i = 0; i < MAX_NAMES; i++) {
      Instant next = time.plusSeconds(i);
      boolean[] isTaken = {false};
      objects.list(
          SnapshotKeys.folder(tenant, SnapshotKeys.id(next)),
          _ -> {
            isTaken[0] = true;
            return false;
          });
      if (!isTaken[0]) {
        return next;
      }
    }
    throw new InvalidSnapshotException(
        SnapshotKeys.folder(tenant, SnapshotKeys.id(time))
            + ": is taken, and so are the names of the following minute: look at the clock, and at"
            + " who else writes there");
  }

  private Snapshot upload(LocalCopy first)
      throws IOException, InvalidSnapshotException, InterruptedException {
    LocalCopy copy = first;
    for (int i = 0; i < MAX_NAMES; i++) {
      Snapshot snapshot = snapshot(copy);
      if (putAll(copy, snapshot)) {
        return snapshot;
      }
      Instant time = copy.manifest().timestamp().plusSeconds(1);
      copy = copy.at(freeName(copy.manifest().tenant(), time));
      unfinished = copy;
    }
    throw new InvalidSnapshotException(
        snapshot(first).key(Manifest.CANONICAL)
            + ": another writer is faster at each name: only one hub may write here");
  }

  private static Snapshot snapshot(LocalCopy copy) {
    Manifest manifest = copy.manifest();
    return new Snapshot(manifest.tenant(), SnapshotKeys.id(manifest.timestamp()), manifest);
  }

  /// @return false if the name belongs to another snapshot
  private boolean putAll(LocalCopy copy, Snapshot snapshot)
      throws IOException, InvalidSnapshotException, InterruptedException {
    for (Map.Entry<String, FileDigest> file : copy.manifest().files().entrySet()) {
      String key = snapshot.key(file.getKey());
      boolean isNew = objects.create(key, copy.file(file.getKey()));
      FileDigest stored;
      try (InputStream in = objects.open(key)) {
        stored = ContentDigest.of(in, OutputStream.nullOutputStream(), file.getValue().bytes());
      }
      if (!stored.equals(file.getValue())) {
        return isOfAnother(key, isNew);
      }
    }
    String key = snapshot.key(Manifest.NAME);
    byte[] manifest = ManifestJson.encode(copy.manifest());
    boolean isNew = objects.create(key, manifest);
    return Arrays.equals(objects.read(key, ManifestJson.MAX_BYTES), manifest)
        || isOfAnother(key, isNew);
  }

  /// @return false
  private static boolean isOfAnother(String key, boolean isNew) throws InvalidSnapshotException {
    if (isNew) {
      throw new InvalidSnapshotException(
          key + ": the store gives back something else than was written");
    }
    return false;
  }

  private void createScratch() throws IOException {
    if (!Files.isDirectory(scratch)) {
      Files.createDirectories(
          scratch,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
  }

  private void clean() throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(scratch)) {
      for (Path file : files) {
        if (Files.isRegularFile(file)) {
          Files.delete(file);
        }
      }
    } catch (NoSuchFileException none) {
      // Nothing was ever copied.
    }
  }
}
