package com.datanadhi.hub.archive;

import com.datanadhi.hub.apply.Chain;
import com.datanadhi.hub.apply.PositionDigest;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.view.StoredEvent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Looks for everything in the archive that is not as the hub wrote it, and goes on behind a fault
/// to find more. Thread-safe.
public final class ArchiveVerifier {
  private final ObjectStore store;

  public ArchiveVerifier(ObjectStore store) {
    this.store = store;
  }

  /// What was found.
  ///
  /// @param firstSeq the first seq in the archive; `lastSeq + 1` if it is empty
  /// @param lastSeq the last one, or 0
  /// @param chain at `lastSeq`
  /// @param segments how many finished segments there are
  /// @param bytes of the packed segments
  /// @param unfinished keys of records without a checksum at the end, which do not count and are no
  ///   fault: a hub was interrupted, or is writing now
  /// @param chains the archive's chain at each seq of `expectedChains` that it has
  /// @param faults one line each
  public record Report(
      String tenant,
      long firstSeq,
      long lastSeq,
      String chain,
      long segments,
      long bytes,
      List<String> unfinished,
      SortedMap<Long, String> chains,
      List<String> faults) {
    public boolean isSound() {
      return faults.isEmpty();
    }
  }

  /// Folders of the archive that belong to no tenant: one line each.
  public List<String> unknownFolders() throws ObjectStoreException, InterruptedException {
    return store.folders(ArchiveKeys.ROOT).stream()
        .filter(folder -> !ArchiveKeys.isTenant(folder))
        .map(folder -> ArchiveKeys.ROOT + folder + "/: is no folder that the hub writes")
        .toList();
  }

  /// Verifies a tenant's archive.
  ///
  /// @param expectSeq a seq that the archive has to reach, or null: then a missing end cannot be
  ///   judged
  /// @param expectedChains chains that are known from elsewhere (snapshots, the live tenant) by
  ///   seq: another chain in the archive is a fault. Seqs that the archive does not have are not
  ///   compared
  public Report verify(
      String tenant, @Nullable Long expectSeq, SortedMap<Long, String> expectedChains)
      throws ObjectStoreException, InterruptedException {
    return verify(tenant, expectSeq, expectedChains, List.of());
  }

  /// Position and durability of records as they are known from elsewhere.
  ///
  /// @param object that has them
  /// @param digest over the records from `firstSeq` to `seq`, see [PositionDigest]
  public record KnownPositions(String object, long firstSeq, long seq, String digest) {}

  /// The same, and compares positions: others than the archive's are a fault of the object that has
  /// them. Of records that the archive does not have as a whole they are not compared.
  public Report verify(
      String tenant,
      @Nullable Long expectSeq,
      SortedMap<Long, String> expectedChains,
      List<KnownPositions> positions)
      throws ObjectStoreException, InterruptedException {
    Verifying verifying = new Verifying(tenant, expectedChains, positions);
    try {
      new ArchiveWalk<>(store, tenant, ArchiveIndex.read(store, tenant), verifying).run();
    } catch (ArchiveFaultException impossible) {
      throw new AssertionError(impossible);
    }
    if (expectSeq != null && verifying.lastSeq < expectSeq) {
      verifying.faults.add(
          ArchiveKeys.tenant(tenant)
              + ": ends at seq "
              + verifying.lastSeq
              + " instead of "
              + expectSeq
              + " or later");
    }
    return verifying.report();
  }

  /// Collects what is found.
  private static final class Verifying implements ArchiveWalk.Visitor<RuntimeException> {
    private final String tenant;
    private final SortedMap<Long, String> expected;
    private final List<KnownPositions> positions;

    /// By the seq that they begin with.
    private final Map<Long, PositionDigest> digests = new HashMap<>();

    private final SortedMap<Long, String> chains = new TreeMap<>();
    private final List<String> faults = new ArrayList<>();
    private final List<String> unfinished = new ArrayList<>();
    private long firstSeq = -1;
    private long lastSeq;
    private String chain = "";
    private long segments;
    private long bytes;

    private Verifying(
        String tenant, SortedMap<Long, String> expected, List<KnownPositions> positions) {
      this.tenant = tenant;
      this.expected = expected;
      this.positions = positions;
      positions.forEach(known -> digests.put(known.firstSeq(), new PositionDigest()));
    }

    @Override
    public void fault(ArchiveFaultException fault) {
      faults.add(fault.getMessage());
    }

    @Override
    public boolean at(long seq, String chainThere) {
      if (firstSeq < 0) {
        firstSeq = seq + 1;
        compare(seq, chainThere);
      }
      lastSeq = seq;
      chain = chainThere;
      return true;
    }

    @Override
    public boolean wants(SegmentChecksum segment) {
      segments++;
      bytes += segment.bytes();
      return true;
    }

    @Override
    public boolean record(StoredEvent event, Chain computed) {
      if (expected.containsKey(event.seq())) {
        compare(event.seq(), computed.hex());
      }
      digests.forEach((firstSeq, digest) -> {
        if (event.seq() >= firstSeq) {
          digest.add(event);
        }
      });
      for (KnownPositions known : positions) {
        if (known.seq() == event.seq()) {
          compare(known, Objects.requireNonNull(digests.get(known.firstSeq())));
        }
      }
      return true;
    }

    private void compare(KnownPositions known, PositionDigest archived) {
      boolean isWhole = archived.records() == known.seq() - known.firstSeq() + 1;
      if (isWhole && !archived.hex().equals(known.digest())) {
        faults.add(
            known.object()
                + ": position or durability of a record up to seq "
                + known.seq()
                + " is not what the archive has");
      }
    }

    private void compare(long seq, String found) {
      String known = expected.get(seq);
      if (known == null) {
        return;
      }
      chains.put(seq, found);
      if (!known.equals(found)) {
        faults.add(
            ArchiveKeys.tenant(tenant)
                + ": has another chain at seq "
                + seq
                + " than is known from elsewhere: "
                + found
                + " instead of "
                + known);
      }
    }

    @Override
    public void unfinished(SegmentName name) {
      unfinished.add(name.dataKey());
    }

    private Report report() {
      return new Report(
          tenant, firstSeq, lastSeq, chain, segments, bytes, unfinished, chains, faults);
    }
  }
}
