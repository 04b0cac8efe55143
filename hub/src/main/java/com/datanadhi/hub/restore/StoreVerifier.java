package com.datanadhi.hub.restore;

import com.datanadhi.hub.archive.ArchiveFaultException;
import com.datanadhi.hub.archive.ArchiveReader;
import com.datanadhi.hub.archive.ArchiveVerifier;
import com.datanadhi.hub.archive.ArchiveVerifier.KnownPositions;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.snapshot.Manifest;
import com.datanadhi.hub.snapshot.Snapshot;
import com.datanadhi.hub.snapshot.SnapshotPositions;
import com.datanadhi.hub.snapshot.SnapshotStore;
import com.datanadhi.hub.snapshot.SnapshotVerifier;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Looks for what is wrong with archive and snapshots, each in itself and with each other. Used by
/// one thread.
public final class StoreVerifier {
  /// The archive may be this much behind.
  public static final Duration LATE = Duration.ofMinutes(10);

  private final ObjectStore store;
  private final ArchiveVerifier archive;
  private final ArchiveReader reader;
  private final SnapshotStore snapshots;
  private final Clock clock;

  public StoreVerifier(ObjectStore store, Clock clock) {
    this.store = store;
    this.clock = clock;
    archive = new ArchiveVerifier(store);
    reader = new ArchiveReader(store);
    snapshots = new SnapshotStore(store);
  }

  /// The tenants that the store has anything of, `_control` included, in order.
  public List<String> tenants() throws ObjectStoreException, InterruptedException {
    TreeSet<String> tenants = new TreeSet<>(reader.tenants());
    tenants.addAll(snapshots.tenants());
    return List.copyOf(tenants);
  }

  /// What of a tenant is wrong.
  ///
  /// @param archiveSeq the last seq of the archive, or 0; null if the archive was not looked at
  /// @param snapshots how many are sound; null if they were not looked at
  /// @param chains of the archive, at the seqs that were asked for and it has
  /// @param faults one line each
  public record Verified(
      String tenant,
      @Nullable Long archiveSeq,
      @Nullable Integer snapshots,
      SortedMap<Long, String> chains,
      List<String> faults) {
    public Verified {
      faults = List.copyOf(faults);
    }
  }

  /// What is looked at.
  ///
  /// @param archive whether the archive is
  /// @param snapshots whether the snapshots are
  public record Scope(boolean archive, boolean snapshots) {}

  /// Verifies a tenant. If both are looked at, the archive's chain is compared with that of every
  /// snapshot.
  ///
  /// @param expectSeq which the archive has to reach, or null
  /// @param known chains that are known from elsewhere, by seq
  public Verified verify(
      String tenant, Scope scope, @Nullable Long expectSeq, SortedMap<Long, String> known)
      throws IOException, InterruptedException {
    List<String> faults = new ArrayList<>();
    SortedMap<Long, String> chains = new TreeMap<>(known);
    Integer sound = null;
    List<KnownPositions> positions = new ArrayList<>();
    long expected = expectSeq == null ? 0 : expectSeq;
    if (scope.snapshots()) {
      SnapshotVerifier.Verified verified = verifySnapshots(tenant);
      faults.addAll(verified.faults());
      sound = verified.sound().size();
      for (SnapshotPositions one : verified.positions()) {
        positions.add(
            new KnownPositions(
                one.snapshot().key(Manifest.CANONICAL), one.firstSeq(), one.seq(), one.digest()));
      }
      for (Snapshot snapshot : verified.sound()) {
        long seq = snapshot.manifest().seq();
        if (isOld(snapshot)) {
          expected = Math.max(expected, seq);
        }
        String other = chains.putIfAbsent(seq, snapshot.manifest().chain());
        if (other != null && !other.equals(snapshot.manifest().chain())) {
          faults.add(
              snapshot.key("manifest.json")
                  + ": has another chain at seq "
                  + seq
                  + " than another snapshot or the live database");
        }
      }
    }
    if (!scope.archive()) {
      return new Verified(tenant, null, sound, new TreeMap<>(), faults);
    }
    // A hub with --archive off has snapshots alone.
    boolean isExpected = expectSeq != null || reader.tenants().contains(tenant);
    ArchiveVerifier.Report report =
        archive.verify(tenant, isExpected ? expected : null, chains, positions);
    faults.addAll(report.faults());
    return new Verified(tenant, report.lastSeq(), sound, report.chains(), faults);
  }

  /// Whether what the snapshot has should have been archived since.
  private boolean isOld(Snapshot snapshot) {
    long age = clock.wallMillis() - snapshot.manifest().timestamp().toEpochMilli();
    return age > LATE.toMillis();
  }

  private SnapshotVerifier.Verified verifySnapshots(String tenant)
      throws IOException, InterruptedException {
    Path scratch = Files.createTempDirectory("echopost-hub-verify-");
    try {
      return new SnapshotVerifier(snapshots, scratch, clock).verify(tenant);
    } finally {
      Scratch.delete(scratch);
    }
  }

  /// Where a tenant's archive ends, or 0.
  public long archiveEnd(String tenant)
      throws ObjectStoreException, RestoreException, InterruptedException {
    try {
      var head = reader.head(tenant);
      return head == null ? 0 : head.seq();
    } catch (ArchiveFaultException fault) {
      throw new RestoreException(String.valueOf(fault.getMessage()), fault);
    }
  }

  /// Folders that belong to no tenant: one line each.
  public List<String> unknownFolders(Scope scope)
      throws ObjectStoreException, InterruptedException {
    List<String> folders = new ArrayList<>();
    if (scope.archive()) {
      folders.addAll(archive.unknownFolders());
    }
    if (scope.snapshots()) {
      folders.addAll(snapshots.unknownFolders());
    }
    return folders;
  }

  /// The store's address.
  public String url() {
    return store.url();
  }
}
