package com.datanadhi.hub.restore;

import com.datanadhi.hub.apply.MailboxFollower;
import com.datanadhi.hub.archive.ArchiveFaultException;
import com.datanadhi.hub.archive.ArchiveHead;
import com.datanadhi.hub.archive.ArchiveReader;
import com.datanadhi.hub.archive.ArchiveReader.Segments;
import com.datanadhi.hub.archive.SegmentChecksum;
import com.datanadhi.hub.control.RestoredCursors;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.snapshot.InvalidSnapshotException;
import com.datanadhi.hub.snapshot.Manifest;
import com.datanadhi.hub.snapshot.Snapshot;
import com.datanadhi.hub.snapshot.SnapshotStore;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Makes data directories from an object store. It trusts nothing that it reads: digests, seqs and
/// chains are checked, and the directory has its name only when all of it is right. Used by one
/// thread.
public final class Restorer {
  /// Records near a cut that are told on each side, if nothing else is asked for.
  public static final int AROUND = 20;

  private static final int MAX_FILES = 64;
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private final ObjectStore store;
  private final ArchiveReader archive;
  private final SnapshotStore snapshots;
  private final Clock clock;
  private final RestoreProgress progress;

  public Restorer(ObjectStore store, Clock clock, RestoreProgress progress) {
    this.store = store;
    this.clock = clock;
    this.progress = progress;
    archive = new ArchiveReader(store);
    snapshots = new SnapshotStore(store);
  }

  /// The store's address.
  public String url() {
    return store.url();
  }

  /// Copies what restored histories have of this store into another one.
  ///
  /// @param scratch a directory that exists, with room for the largest object
  public StoreCopy copyTo(ObjectStore other, Path scratch) {
    return new StoreCopy(store, other, scratch);
  }

  /// The tenants that the store has a finished segment or snapshot of, `_control` left out, in
  /// order.
  public List<String> tenants()
      throws RestoreException, ObjectStoreException, InterruptedException {
    TreeSet<String> tenants = new TreeSet<>(archive.tenants());
    tenants.addAll(snapshots.tenants());
    tenants.remove(TenantName.CONTROL);
    List<String> kept = new ArrayList<>();
    for (String tenant : tenants) {
      if (isKept(tenant)) {
        kept.add(tenant);
      }
    }
    return kept;
  }

  /// The tenants that have a folder in the archive.
  Set<String> archivedTenants() throws ObjectStoreException, InterruptedException {
    return new TreeSet<>(archive.tenants());
  }

  /// Gives a tenant's archived records behind what a database has, in order.
  ///
  /// @param has the state of the database, or null to begin with the archive's first record
  void readArchive(
      String tenant, @Nullable ViewState has, ArchiveReader.EventSink<RuntimeException> sink)
      throws RestoreException, ObjectStoreException, InterruptedException {
    long _ =
        checked(() -> {
          ArchiveHead head = archive.head(tenant);
          boolean hasAll = head != null && has != null && head.seq() <= has.seq();
          if (head == null || head.checksum() == null || hasAll) {
            return 0L;
          }
          if (has != null) {
            return archive.read(tenant, has.seq() + 1, has.chain(), sink);
          }
          Segments archived = archive.segments(tenant);
          SegmentChecksum first = archived.segments().getFirst().checksum();
          return archive.read(archived, first.firstSeq(), first.chainBefore(), sink);
        });
  }

  private boolean isKept(String tenant)
      throws RestoreException, ObjectStoreException, InterruptedException {
    return checked(
        () -> archive.head(tenant) != null || !snapshots.list(tenant).finished().isEmpty());
  }

  /// Checks that API keys would be restored.
  ///
  /// @throws RestoreException the store has none
  public void checkKeysAreKept()
      throws RestoreException, ObjectStoreException, InterruptedException {
    if (!isKept(TenantName.CONTROL)) {
      throw new RestoreException(
          store.url()
              + " has nothing of "
              + TenantName.CONTROL
              + ": the restored hub would know no API key, and senders would discard what it"
              + " refuses. Look for its objects, or restore with --without-keys and create keys"
              + " before senders reach the hub");
    }
  }

  /// What a restore of these tenants would have as its end. Reads everything that a restore would
  /// read, and stores nothing.
  ///
  /// @param around how many records near the cut are told on each side
  /// @return one cut a tenant, that of `_control` last
  public List<Cut> plan(List<String> tenants, Target target, int around)
      throws RestoreException, ObjectStoreException, InterruptedException {
    return checked(() -> {
      List<Cut> cuts = new ArrayList<>();
      for (String tenant : tenants) {
        cuts.add(one(tenant, target, null, null, around));
      }
      cuts.add(one(TenantName.CONTROL, targetOfControl(target, cuts), null, null, around));
      return cuts;
    });
  }

  /// Restores tenants, and `_control` as it was at the same moment.
  ///
  /// @param output a directory that is empty or does not exist
  /// @return one cut a tenant, that of `_control` last
  public List<Cut> restore(List<String> tenants, Target target, Path output)
      throws RestoreException, ObjectStoreException, IOException, InterruptedException {
    return build(output, tenants, target, null);
  }

  /// Restores the state of one snapshot, without the archive behind it.
  public List<Cut> fromSnapshot(String tenant, String snapshotId, Path output)
      throws RestoreException, ObjectStoreException, IOException, InterruptedException {
    Snapshot snapshot = checkedOrNull(() -> snapshots.find(tenant, snapshotId));
    if (snapshot == null) {
      throw new RestoreException(
          "tenant "
              + tenant
              + " has no finished snapshot "
              + snapshotId
              + ": 'echopost-hub restore list-snapshots' shows what there is");
    }
    return build(output, List.of(tenant), new Target.Seq(snapshot.manifest().seq()), snapshot);
  }

  /// Puts the newest snapshot of a tenant into databases that do not have it.
  ///
  /// @return null if it has none
  @Nullable Cut newestSnapshot(TenantDatabases databases, String tenant)
      throws RestoreException, ObjectStoreException, InterruptedException {
    return checkedOrNull(() -> {
      Snapshot newest = newest(tenant, new Target.End());
      if (newest == null) {
        return null;
      }
      return new TenantRestore(
              tenant,
              new Target.Seq(newest.manifest().seq()),
              download(newest, databases),
              Segments.none(tenant),
              databases,
              null,
              AROUND,
              progress)
          .run(archive);
    });
  }

  /// Continues a tenant's database, or makes a new one, from the archive.
  Cut continueTo(TenantDatabases databases, String tenant, Target target)
      throws RestoreException, ObjectStoreException, InterruptedException {
    return checked(() -> {
      TenantRestore.Start start =
          databases.exists(tenant)
              ? start(databases.read(tenant, reader -> reader.state()))
              : TenantRestore.Start.NOTHING;
      Segments archived = archive.segments(tenant);
      return new TenantRestore(tenant, target, start, archived, databases, null, AROUND, progress)
          .run(archive);
    });
  }

  private static TenantRestore.Start start(ViewState state) {
    return new TenantRestore.Start(
        null, 0, state.seq(), state.chain(), state.lastReceivedAt(), state.epoch());
  }

  /// Restores one tenant into databases that do not have it, items included, without `_control`.
  public Cut into(TenantDatabases databases, String tenant, Target target)
      throws RestoreException, ObjectStoreException, InterruptedException {
    return checked(() -> {
      Cut cut = one(tenant, target, databases, null, AROUND);
      new MailboxFollower(databases, _ -> {}).follow(tenant);
      databases.check(tenant);
      return cut;
    });
  }

  /// The finished snapshots of a tenant, in order of seq.
  public List<Snapshot> snapshots(String tenant)
      throws RestoreException, ObjectStoreException, InterruptedException {
    return checked(() -> snapshots.list(tenant).finished());
  }

  /// Continues a restored directory to the end of the archive.
  ///
  /// @param fromSeq the next seq of its tenant
  public Cut replay(String tenant, long fromSeq, Path data)
      throws RestoreException, ObjectStoreException, IOException, InterruptedException {
    RestoredFile restored = RestoredFile.read(data);
    if (restored == null || data.resolve("log").toFile().exists()) {
      throw new RestoreException(
          data
              + (restored == null
                  ? " was not made by 'echopost-hub restore'"
                  : " is in use by a hub, which has a log of its own now")
              + ": restore into another directory, and continue there");
    }
    return checked(() -> {
      try (TenantDatabases databases = new TenantDatabases(data.resolve("tenants"), MAX_FILES)) {
        if (!databases.exists(tenant)) {
          throw new RestoreException(data + " has no database of tenant " + tenant);
        }
        ViewState state = databases.read(tenant, reader -> reader.state());
        if (state.seq() + 1 != fromSeq) {
          throw new RestoreException(
              "tenant "
                  + tenant
                  + " ends with seq "
                  + state.seq()
                  + ": continue it with --from-position "
                  + (state.seq() + 1));
        }
        Cut cut = continueTo(databases, tenant, new Target.End());
        finish(databases, tenant);
        Map<String, RestoredFile.Tenant> tenants = new TreeMap<>(restored.tenants());
        tenants.put(tenant, noted(databases, cut));
        new RestoredFile(restored.objects(), restored.restoredAt(), tenants).write(data);
        return cut;
      }
    });
  }

  private List<Cut> build(
      Path output, List<String> tenants, Target target, @Nullable Snapshot snapshot)
      throws RestoreException, ObjectStoreException, IOException, InterruptedException {
    OutputDirectory directory = OutputDirectory.prepare(output);
    List<Cut> cuts = new ArrayList<>();
    Map<String, RestoredFile.Tenant> noted = new TreeMap<>();
    checked(() -> {
      try (TenantDatabases databases =
          TenantDatabases.unfinished(directory.unfinished().resolve("tenants"), MAX_FILES)) {
        for (String tenant : tenants) {
          cuts.add(one(tenant, target, databases, snapshot, AROUND));
        }
        cuts.add(one(TenantName.CONTROL, targetOfControl(target, cuts), databases, null, AROUND));
        for (Cut cut : cuts) {
          if (databases.exists(cut.tenant())) {
            finish(databases, cut.tenant());
            noted.put(cut.tenant(), noted(databases, cut));
          }
        }
        return cuts;
      }
    });
    Instant now = Instant.ofEpochMilli(clock.wallMillis());
    new RestoredFile(store.url(), now, noted).write(directory.unfinished());
    directory.finish();
    return cuts;
  }

  /// Keys and cursors as of the same moment as the records.
  private static Target targetOfControl(Target target, List<Cut> cuts) {
    return target instanceof Target.Seq
        ? new Target.Time(cuts.stream().mapToLong(Cut::receivedAt).max().orElse(0))
        : target;
  }

  private Cut one(
      String tenant,
      Target target,
      @Nullable TenantDatabases databases,
      @Nullable Snapshot onlySnapshot,
      int around)
      throws RestoreException,
          ObjectStoreException,
          ArchiveFaultException,
          InvalidSnapshotException,
          IOException,
          ViewException,
          InterruptedException {
    Segments archived = archive.segments(tenant);
    Snapshot snapshot = onlySnapshot == null ? newest(tenant, target) : onlySnapshot;
    if (archived.segments().isEmpty() && snapshot == null && !tenant.equals(TenantName.CONTROL)) {
      throw new RestoreException(
          store.url() + " has neither archive nor a snapshot of tenant " + tenant + " to then");
    }
    TenantRestore.Start start =
        snapshot == null ? TenantRestore.Start.NOTHING : download(snapshot, databases);
    MailboxFollower mailboxes = null;
    if (databases != null && !tenant.equals(TenantName.CONTROL)) {
      mailboxes = new MailboxFollower(databases, _ -> {});
      if (snapshot != null) {
        mailboxes.follow(tenant);
      }
    }
    return new TenantRestore(
            tenant, target, start, archived, databases, mailboxes, around, progress)
        .run(archive);
  }

  /// Where the records behind a snapshot begin. It is put into the databases, if there are some.
  private TenantRestore.Start download(Snapshot snapshot, @Nullable TenantDatabases databases)
      throws InvalidSnapshotException, IOException, InterruptedException {
    Manifest manifest = snapshot.manifest();
    if (databases != null) {
      Path directory = databases.directory(snapshot.tenant());
      Files.createDirectories(directory, OWNER_ONLY);
      snapshots.download(snapshot, directory);
    }
    return new TenantRestore.Start(
        snapshot.id(),
        snapshot.bytes(),
        manifest.seq(),
        manifest.chain(),
        manifest.lastReceivedAt(),
        manifest.epoch());
  }

  private @Nullable Snapshot newest(String tenant, Target target)
      throws ObjectStoreException, InvalidSnapshotException, InterruptedException {
    return snapshots.list(tenant).finished().stream()
        .filter(s -> target.includes(s.manifest().seq(), s.manifest().lastReceivedAt()))
        .reduce((_, later) -> later)
        .orElse(null);
  }

  /// Items and cursors follow the records; then everything is on stable storage.
  private static void finish(TenantDatabases databases, String tenant)
      throws ViewException, InterruptedException {
    if (!tenant.equals(TenantName.CONTROL)) {
      new MailboxFollower(databases, new RestoredCursors(databases)).follow(tenant);
    }
    databases.check(tenant);
    databases.checkpoint(tenant);
  }

  private static RestoredFile.Tenant noted(TenantDatabases databases, Cut cut)
      throws RestoreException, ViewException, InterruptedException {
    ViewState state = databases.read(cut.tenant(), reader -> reader.state());
    if (state.seq() != cut.seq()) {
      throw new RestoreException(
          "tenant " + cut.tenant() + ": seq " + state.seq() + " was restored, not " + cut.seq());
    }
    return new RestoredFile.Tenant(state.epoch(), state.seq(), state.chain(), cut.archiveSeq());
  }

  @FunctionalInterface
  private interface Work<T> {
    @Nullable T run()
        throws RestoreException,
            ObjectStoreException,
            ArchiveFaultException,
            InvalidSnapshotException,
            IOException,
            ViewException,
            InterruptedException;
  }

  private static <T> T checked(Work<T> work)
      throws RestoreException, ObjectStoreException, InterruptedException {
    return Objects.requireNonNull(checkedOrNull(work));
  }

  private static <T> @Nullable T checkedOrNull(Work<T> work)
      throws RestoreException, ObjectStoreException, InterruptedException {
    try {
      return work.run();
    } catch (ObjectStoreException failed) {
      throw failed;
    } catch (ArchiveFaultException | InvalidSnapshotException | IOException | ViewException fault) {
      throw new RestoreException(String.valueOf(fault.getMessage()), fault);
    }
  }
}
