package com.datanadhi.hub.archive;

import static java.util.Objects.requireNonNull;

import com.datanadhi.hub.apply.Chain;
import com.datanadhi.hub.archive.ArchiveIndex.Entry;
import com.datanadhi.hub.archive.ArchiveListing.Parts;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.record.Position;
import com.datanadhi.hub.view.StoredEvent;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads the archive, and trusts nothing in it. Thread-safe.
///
/// All methods throw [ObjectStoreException] when the store fails, and [ArchiveFaultException] when
/// the archive is not as the hub wrote it.
public final class ArchiveReader {
  private final ObjectStore store;

  public ArchiveReader(ObjectStore store) {
    this.store = store;
  }

  /// Takes records.
  ///
  /// @param <X> what it throws
  @FunctionalInterface
  public interface EventSink<X extends Exception> {
    /// Takes a record.
    ///
    /// @return whether to go on
    boolean accept(StoredEvent event) throws X, InterruptedException;
  }

  /// A finished segment.
  public record Segment(SegmentName name, SegmentChecksum checksum) {}

  /// What a tenant's archive consists of.
  ///
  /// @param tenant whose archive it is
  /// @param index all of it, for [#read(Segments, long, String, EventSink)]
  /// @param segments that are finished, from the retained mark on, in order. Their checksums are
  ///   parsed; nothing else of them is checked
  /// @param mark the newest, or null
  /// @param unfinished keys of records without a checksum, which do not count
  public record Segments(
      String tenant,
      ArchiveIndex index,
      List<Segment> segments,
      @Nullable RetainedMark mark,
      List<String> unfinished) {
    /// An archive without objects.
    public static Segments none(String tenant) {
      return new Segments(tenant, ArchiveIndex.EMPTY, List.of(), null, List.of());
    }

    public Segments {
      segments = List.copyOf(segments);
      unfinished = List.copyOf(unfinished);
    }
  }

  /// The tenants with a folder in the archive, `_control` included, in order.
  public List<String> tenants() throws ObjectStoreException, InterruptedException {
    return store.folders(ArchiveKeys.ROOT).stream().filter(ArchiveKeys::isTenant).toList();
  }

  /// Where the tenant's archive ends, or null if it has none. Lists the newest day only.
  public @Nullable ArchiveHead head(String tenant)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    for (String folder : store.folders(ArchiveKeys.tenant(tenant)).reversed()) {
      LocalDate date = ArchiveKeys.date(folder);
      if (date != null) {
        ArchiveHead head = head(tenant, date);
        if (head != null) {
          return head;
        }
      }
    }
    ArchiveListing rest = ArchiveListing.of(store, tenant, ArchiveKeys.tenant(tenant));
    RetainedMark mark = mark(tenant, rest);
    return mark == null
        ? null
        : new ArchiveHead(mark.firstSeq() - 1, mark.chainBefore(), mark.previous(), null, null);
  }

  private @Nullable ArchiveHead head(String tenant, LocalDate date)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    ArchiveListing day = ArchiveListing.of(store, tenant, ArchiveKeys.day(tenant, date));
    SegmentName newest = null;
    for (Map.Entry<SegmentName, Parts> segment : day.segments().entrySet()) {
      if (segment.getValue().checksum()) {
        newest = segment.getKey();
      }
    }
    if (newest == null) {
      return null;
    }
    byte[] text = Contents.read(store, newest.checksumKey(), SegmentChecksum.MAX_BYTES);
    SegmentChecksum checksum = decode(newest, text);
    return new ArchiveHead(
        checksum.lastSeq(), checksum.chainAfter(), SegmentChecksum.digest(text), newest, checksum);
  }

  static SegmentChecksum decode(SegmentName name, byte[] text) throws ArchiveFaultException {
    return checkTenant(name, SegmentChecksum.decode(name.checksumKey(), text));
  }

  private static SegmentChecksum checkTenant(SegmentName name, SegmentChecksum checksum)
      throws ArchiveFaultException {
    if (!checksum.tenant().equals(name.tenant())) {
      throw new ArchiveFaultException(name.checksumKey(), "is of the tenant " + checksum.tenant());
    }
    return checksum;
  }

  /// The position of the last archived record.
  ///
  /// @param head of the tenant, with a segment
  public Position lastPosition(String tenant, ArchiveHead head)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    SegmentName name = requireNonNull(head.segment());
    SegmentChecksum checksum = requireNonNull(head.checksum());
    SegmentData data = SegmentData.read(store, name);
    if (data.bytes() != checksum.bytes() || !data.sha256().equals(checksum.sha256())) {
      throw new ArchiveFaultException(name.dataKey(), "is not what its checksum says");
    }
    byte[] last = null;
    try (SegmentLines lines = data.lines()) {
      for (byte[] line = lines.next(); line != null; line = lines.next()) {
        last = line;
      }
    }
    try {
      Position position =
          last == null
              ? null
              : Position.parse(new ArchiveLine(new PipelineNames()).decode(last).position());
      if (position != null) {
        return position;
      }
    } catch (IllegalArgumentException wrong) {
      throw new ArchiveFaultException(
          name.dataKey(), "its last line is none: " + wrong.getMessage());
    }
    throw new ArchiveFaultException(name.dataKey(), "has no position in its last record");
  }

  /// The finished segments of a tenant, the retained mark, and what is unfinished.
  public Segments segments(String tenant)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    ArchiveIndex index = ArchiveIndex.read(store, tenant);
    ArchiveListing listing = index.listing();
    RetainedMark mark = mark(tenant, listing);
    List<Segment> segments = new ArrayList<>();
    List<String> unfinished = new ArrayList<>();
    for (Map.Entry<SegmentName, Parts> entry : listing.segments().entrySet()) {
      SegmentName name = entry.getKey();
      if (entry.getValue().checksum()) {
        SegmentChecksum checksum =
            switch (index.entry(name)) {
              case Entry.Known(SegmentChecksum known, _) -> checkTenant(name, known);
              case Entry.Malformed(ArchiveFaultException fault, _) -> throw fault;
              case Entry.Unreadable(ArchiveFaultException fault) -> throw fault;
            };
        if (mark == null || checksum.lastSeq() >= mark.firstSeq()) {
          segments.add(new Segment(name, checksum));
        }
      } else {
        unfinished.add(name.dataKey());
      }
    }
    return new Segments(tenant, index, segments, mark, unfinished);
  }

  private @Nullable RetainedMark mark(String tenant, ArchiveListing listing)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    return listing.marks().isEmpty() ? null : mark(tenant, listing.marks().last());
  }

  RetainedMark mark(String tenant, long firstSeq)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    String key = ArchiveKeys.retained(tenant, firstSeq);
    RetainedMark mark = RetainedMark.decode(key, Contents.read(store, key, RetainedMark.MAX_BYTES));
    if (!mark.tenant().equals(tenant) || mark.firstSeq() != firstSeq || firstSeq < 2) {
      throw new ArchiveFaultException(
          key, "is of the tenant " + mark.tenant() + " and the seq " + mark.firstSeq());
    }
    return mark;
  }

  /// The first seqs of a tenant's retained marks, in order.
  List<Long> marks(String tenant) throws ObjectStoreException, InterruptedException {
    List<Long> marks = new ArrayList<>();
    // They are behind the folders of the days, so this lists the tenant's objects.
    store.list(
        ArchiveKeys.tenant(tenant),
        object -> {
          if (ArchiveKeys.kind(tenant, object.key())
              instanceof ArchiveKeys.Kind.Retained(long seq)) {
            marks.add(seq);
          }
          return true;
        });
    return marks;
  }

  /// Gives all records from a seq on to the sink, in order. A segment is given after its digest was
  /// checked, and before its chain was: if this throws, what was given is to be discarded.
  ///
  /// Segments wholly before `fromSeq` are unpacked only when `chainBefore` is null; the links of
  /// their checksums are checked always.
  ///
  /// @param chainBefore the chain at `fromSeq - 1` that the caller trusts, such as a snapshot's;
  ///   null to prove the archive from its begin
  /// @return the last seq that was given or passed over; less than `fromSeq - 1` if the archive
  ///   ends before
  public <X extends Exception> long read(
      String tenant, long fromSeq, @Nullable String chainBefore, EventSink<X> sink)
      throws X, ObjectStoreException, ArchiveFaultException, InterruptedException {
    return read(tenant, ArchiveIndex.read(store, tenant), fromSeq, chainBefore, sink);
  }

  /// The same, as of when [#segments] has looked: no `.checksum` is read again.
  public <X extends Exception> long read(
      Segments archived, long fromSeq, @Nullable String chainBefore, EventSink<X> sink)
      throws X, ObjectStoreException, ArchiveFaultException, InterruptedException {
    return read(archived.tenant(), archived.index(), fromSeq, chainBefore, sink);
  }

  private <X extends Exception> long read(
      String tenant,
      ArchiveIndex index,
      long fromSeq,
      @Nullable String chainBefore,
      EventSink<X> sink)
      throws X, ObjectStoreException, ArchiveFaultException, InterruptedException {
    Reading<X> reading = new Reading<>(tenant, fromSeq, chainBefore, sink);
    new ArchiveWalk<X>(store, tenant, index, reading).run();
    return reading.lastSeq;
  }

  /// The archive's chain at a seq, or null if the archive begins behind it or ends before it. Of
  /// the records only those of the segment with this seq are checked.
  public @Nullable String chainAt(String tenant, long seq)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    ChainAt reading = new ChainAt(seq);
    new ArchiveWalk<>(store, tenant, ArchiveIndex.read(store, tenant), reading).run();
    return reading.found;
  }

  /// Looks for the chain at a seq, up to the first fault.
  private static final class ChainAt implements ArchiveWalk.Visitor<RuntimeException> {
    private final long wanted;
    private @Nullable String found;

    private ChainAt(long wanted) {
      this.wanted = wanted;
    }

    @Override
    public void fault(ArchiveFaultException fault) throws ArchiveFaultException {
      throw fault;
    }

    @Override
    public boolean at(long seq, String chain) {
      if (seq == wanted) {
        found = chain;
      }
      return seq < wanted;
    }

    @Override
    public boolean wants(SegmentChecksum segment) {
      return segment.firstSeq() <= wanted && wanted <= segment.lastSeq();
    }

    @Override
    public boolean record(StoredEvent event, Chain chain) {
      if (event.seq() == wanted) {
        found = chain.hex();
      }
      return true;
    }

    @Override
    public void unfinished(SegmentName name) {}
  }

  /// Reading from a seq on, up to the first fault.
  private static final class Reading<X extends Exception> implements ArchiveWalk.Visitor<X> {
    private final String tenant;
    private final long fromSeq;
    private final @Nullable String chainBefore;
    private final EventSink<X> sink;
    private boolean isBegun;
    private long lastSeq;

    private Reading(String tenant, long fromSeq, @Nullable String chainBefore, EventSink<X> sink) {
      this.tenant = tenant;
      this.fromSeq = fromSeq;
      this.chainBefore = chainBefore;
      this.sink = sink;
    }

    @Override
    public void fault(ArchiveFaultException fault) throws ArchiveFaultException {
      throw fault;
    }

    @Override
    public boolean at(long seq, String chain) throws ArchiveFaultException {
      if (!isBegun && seq >= fromSeq) {
        throw new ArchiveFaultException(
            ArchiveKeys.tenant(tenant),
            "begins at seq "
                + (seq + 1)
                + ": retention has deleted what is before it, so "
                + fromSeq
                + " is not there any more");
      }
      isBegun = true;
      lastSeq = seq;
      compare(seq, chain);
      return true;
    }

    private void compare(long seq, String chain) throws ArchiveFaultException {
      if (seq == fromSeq - 1 && chainBefore != null && !chain.equals(chainBefore)) {
        throw new ArchiveFaultException(
            ArchiveKeys.tenant(tenant),
            "has another chain at seq " + seq + " than what it is to continue");
      }
    }

    @Override
    public boolean wants(SegmentChecksum segment) {
      return chainBefore == null || segment.lastSeq() >= fromSeq;
    }

    @Override
    public boolean record(StoredEvent event, Chain chain)
        throws X, ArchiveFaultException, InterruptedException {
      lastSeq = event.seq();
      if (event.seq() == fromSeq - 1) {
        compare(event.seq(), chain.hex());
      }
      return event.seq() < fromSeq || sink.accept(event);
    }

    @Override
    public void unfinished(SegmentName name) {}
  }
}
