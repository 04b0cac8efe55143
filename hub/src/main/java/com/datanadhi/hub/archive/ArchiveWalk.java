package com.datanadhi.hub.archive;

import com.datanadhi.hub.apply.Chain;
import com.datanadhi.hub.archive.ArchiveIndex.Entry;
import com.datanadhi.hub.archive.ArchiveListing.Parts;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.view.StoredEvent;
import java.time.LocalDate;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Goes through a tenant's archive in order, and checks everything that it can prove by itself:
/// names, checksums and their links, digests, lines, seqs, dates, whole transactions, and the
/// chain. Used once, by one thread.
///
/// What contradicts something before it is told as a fault. If the visitor goes on, the next
/// segment is judged by what this one says of itself, so that one fault is told once.
final class ArchiveWalk<X extends Exception> {
  private final ObjectStore store;
  private final ArchiveReader reader;
  private final ArchiveIndex index;
  private final String tenant;
  private final Visitor<X> visitor;
  private final PipelineNames pipelineNames = new PipelineNames();
  private final ArchiveLine lines = new ArchiveLine(pipelineNames);
  private final Set<SegmentName> wanted = new HashSet<>();
  private boolean isEnded;

  // What is expected of the next segment. Unknown after a `.checksum` that cannot be used.
  private boolean isKnown = true;
  private boolean isPreviousKnown = true;
  private long next;
  private String chain;
  private @Nullable String previous;

  private @Nullable SegmentName last;
  private long lastReceivedAt = Long.MIN_VALUE;

  ArchiveWalk(ObjectStore store, String tenant, ArchiveIndex index, Visitor<X> visitor) {
    this.store = store;
    this.index = index;
    this.reader = new ArchiveReader(store);
    this.tenant = tenant;
    this.visitor = visitor;
    next = 1;
    chain = Chain.ofTenant(tenant).hex();
  }

  /// Who goes along.
  interface Visitor<X extends Exception> {
    /// A fault. Throwing it ends the walk.
    void fault(ArchiveFaultException fault) throws ArchiveFaultException;

    /// The archive stands at a seq: before its first segment, and behind each one.
    ///
    /// @param chain there
    /// @return whether to go on
    boolean at(long seq, String chain) throws X, ArchiveFaultException, InterruptedException;

    /// Whether the records of this segment are to be read.
    boolean wants(SegmentChecksum segment);

    /// A record.
    ///
    /// @param chain with it
    /// @return whether to go on
    boolean record(StoredEvent event, Chain chain)
        throws X, ArchiveFaultException, InterruptedException;

    /// A segment without a checksum at the end, which does not count.
    void unfinished(SegmentName name);
  }

  void run() throws X, ArchiveFaultException, ObjectStoreException, InterruptedException {
    ArchiveListing listing = index.listing();
    for (String key : listing.unknown()) {
      fault(key, "is no object that the hub writes");
    }
    begin(listing);
    long first = next;
    if (!visitor.at(next - 1, chain)) {
      return;
    }
    try (SegmentsAhead ahead = new SegmentsAhead(store)) {
      expect(listing, first, ahead);
      walk(listing, first, ahead);
    }
  }

  /// Says which records will be read.
  private void expect(ArchiveListing listing, long first, SegmentsAhead ahead) {
    boolean isBegun = false;
    for (Map.Entry<SegmentName, Parts> segment : listing.segments().entrySet()) {
      SegmentName name = segment.getKey();
      if (!segment.getValue().checksum()
          || !(index.entry(name) instanceof Entry.Known(SegmentChecksum checksum, _))) {
        isBegun = true;
        continue;
      }
      isBegun |= checksum.lastSeq() >= first;
      if (isBegun && segment.getValue().data() && visitor.wants(checksum)) {
        ahead.expect(name, checksum);
        wanted.add(name);
      }
    }
  }

  private void walk(ArchiveListing listing, long first, SegmentsAhead ahead)
      throws X, ArchiveFaultException, ObjectStoreException, InterruptedException {
    for (Map.Entry<SegmentName, Parts> entry : listing.segments().entrySet()) {
      SegmentName name = entry.getKey();
      Parts parts = entry.getValue();
      if (!parts.checksum()) {
        if (name.equals(listing.segments().lastKey())) {
          number(name);
          visitor.unfinished(name);
        } else {
          fault(name.checksumKey(), "is missing");
          number(name);
          isKnown = false;
          isPreviousKnown = false;
        }
        continue;
      }
      segment(name, parts, first, ahead);
      if (isEnded) {
        return;
      }
    }
  }

  /// Where the archive begins.
  private void begin(ArchiveListing listing)
      throws ArchiveFaultException, ObjectStoreException, InterruptedException {
    for (long firstSeq : listing.marks()) {
      try {
        RetainedMark mark = reader.mark(tenant, firstSeq);
        next = firstSeq;
        chain = mark.chainBefore();
        previous = mark.previous();
      } catch (ArchiveFaultException wrong) {
        visitor.fault(wrong);
        next = Math.max(next, firstSeq);
        isKnown = false;
        isPreviousKnown = false;
      }
    }
  }

  /// @param first the seq at which the archive begins: what is before it is left over from a
  ///   deletion that was interrupted
  private void segment(SegmentName name, Parts parts, long first, SegmentsAhead ahead)
      throws X, ArchiveFaultException, ObjectStoreException, InterruptedException {
    switch (index.entry(name)) {
      case Entry.Unreadable(ArchiveFaultException wrong) -> {
        visitor.fault(wrong);
        number(name);
        isKnown = false;
        isPreviousKnown = false;
      }
      case Entry.Malformed(ArchiveFaultException wrong, String digest) -> {
        visitor.fault(wrong);
        number(name);
        isKnown = false;
        isPreviousKnown = true;
        previous = digest;
      }
      case Entry.Known(SegmentChecksum checksum, String digest) ->
          segment(name, parts, first, checksum, digest, ahead);
    }
  }

  private void segment(
      SegmentName name,
      Parts parts,
      long first,
      SegmentChecksum checksum,
      String digest,
      SegmentsAhead ahead)
      throws X, ArchiveFaultException, ObjectStoreException, InterruptedException {
    if (last == null && checksum.lastSeq() < first) {
      return;
    }
    number(name);
    links(name.checksumKey(), checksum);
    boolean isSound = parts.data();
    if (!isSound) {
      fault(name.dataKey(), "is missing");
    } else if (wanted.contains(name)) {
      isSound = records(name, checksum, ahead);
    }
    if (isEnded) {
      return;
    }
    isKnown = true;
    isPreviousKnown = true;
    next = checksum.lastSeq() + 1;
    chain = checksum.chainAfter();
    previous = digest;
    if (isSound) {
      isEnded = !visitor.at(checksum.lastSeq(), chain);
    }
  }

  /// Checks that no number is left out.
  private void number(SegmentName name) throws ArchiveFaultException {
    SegmentName before = last;
    int expected = before != null && before.date().equals(name.date()) ? before.number() + 1 : 1;
    boolean canBegin = before == null && next > 1;
    if (name.number() != expected && !canBegin) {
      String missing = new SegmentName(tenant, name.date(), expected).dataKey();
      int count = name.number() - expected;
      fault(missing, "is missing" + (count == 1 ? "" : ", and " + (count - 1) + " behind it"));
    }
    last = name;
  }

  private void links(String key, SegmentChecksum checksum) throws ArchiveFaultException {
    if (!checksum.tenant().equals(tenant)) {
      fault(key, "is of the tenant " + checksum.tenant());
    } else if (isKnown && checksum.firstSeq() != next) {
      fault(
          key,
          "begins at seq "
              + checksum.firstSeq()
              + " instead of "
              + next
              + (checksum.firstSeq() > next ? ": a gap" : ": an overlap"));
    } else if (isKnown && !checksum.chainBefore().equals(chain)) {
      fault(key, "does not continue the chain: chain_before is not the chain at " + (next - 1));
    } else if (isPreviousKnown && !equal(checksum.previous(), previous)) {
      fault(key, "does not follow the checksum before it: previous is another digest");
    }
  }

  private static boolean equal(@Nullable String one, @Nullable String other) {
    return one == null ? other == null : one.equals(other);
  }

  /// Reads and checks the records.
  ///
  /// @return whether they are what the checksum says
  private boolean records(SegmentName name, SegmentChecksum checksum, SegmentsAhead ahead)
      throws X, ArchiveFaultException, ObjectStoreException, InterruptedException {
    SegmentData data;
    try {
      data = ahead.take(name);
      if (data.bytes() != checksum.bytes()) {
        throw new ArchiveFaultException(
            name.dataKey(), "has " + data.bytes() + " bytes instead of " + checksum.bytes());
      }
      if (!data.sha256().equals(checksum.sha256())) {
        throw new ArchiveFaultException(
            name.dataKey(), "is not what its checksum says: another SHA-256");
      }
    } catch (ArchiveFaultException wrong) {
      visitor.fault(wrong);
      return false;
    }
    Segment segment = new Segment(name, checksum);
    @Nullable ArchiveFaultException fault = null;
    try (SegmentLines packed = data.lines()) {
      for (byte[] line = packed.next(); line != null && !isEnded; line = packed.next()) {
        segment.accept(line);
      }
      if (!isEnded) {
        segment.end();
      }
    } catch (ArchiveFaultException wrong) {
      if (!wrong.object().equals(name.dataKey())) {
        throw wrong; // the visitor's own
      }
      fault = wrong;
    }
    lastReceivedAt = segment.receivedAt;
    if (fault != null) {
      visitor.fault(fault);
    }
    return fault == null;
  }

  /// The lines of a segment.
  private final class Segment {
    private final String object;
    private final LocalDate date;
    private final SegmentChecksum checksum;
    private final Chain computed;
    private final Transactions transactions = new Transactions();
    private long seq;
    private long receivedAt;

    private Segment(SegmentName name, SegmentChecksum checksum) {
      object = name.dataKey();
      date = name.date();
      this.checksum = checksum;
      computed = Chain.from(checksum.chainBefore());
      seq = checksum.firstSeq();
      receivedAt = lastReceivedAt;
    }

    private void accept(byte[] line) throws X, ArchiveFaultException, InterruptedException {
      StoredEvent event;
      try {
        event = lines.decode(line);
      } catch (IllegalArgumentException wrong) {
        throw fault("the line of seq " + seq + " is none: " + wrong.getMessage());
      }
      if (event.seq() != seq) {
        throw fault("has seq " + event.seq() + " where " + seq + " belongs");
      }
      if (seq > checksum.lastSeq()) {
        throw fault("goes beyond seq " + checksum.lastSeq());
      }
      if (!ArchiveKeys.date(event.receivedAt()).equals(date)) {
        throw fault("has seq " + seq + " of another day");
      }
      if (event.receivedAt() < receivedAt) {
        throw fault("has seq " + seq + ", which is older than the record before it");
      }
      if (!transactions.continues(event)) {
        throw fault("has seq " + seq + ", which tears a transaction");
      }
      receivedAt = event.receivedAt();
      computed.add(
          seq,
          event.part(),
          receivedAt,
          event.key(),
          pipelineNames.of(event.pipelines()),
          event.logData());
      seq++;
      isEnded = !visitor.record(event, computed);
    }

    private void end() throws ArchiveFaultException {
      if (seq != checksum.lastSeq() + 1) {
        throw fault("ends before seq " + seq + " instead of at " + checksum.lastSeq());
      }
      if (!computed.hex().equals(checksum.chainAfter())) {
        throw fault("does not have the chain that its checksum says");
      }
    }

    private ArchiveFaultException fault(String what) {
      return new ArchiveFaultException(object, what);
    }
  }

  private void fault(String object, String what) throws ArchiveFaultException {
    visitor.fault(new ArchiveFaultException(object, what));
  }
}
