package com.datanadhi.hub.restore;

import com.datanadhi.hub.archive.ArchiveFaultException;
import com.datanadhi.hub.archive.ArchiveHead;
import com.datanadhi.hub.archive.ArchiveReader;
import com.datanadhi.hub.archive.ArchiveReader.Segment;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.SegmentInfo;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.record.Position;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Finds tenants whose archive has records that this log never had: an old copy of the data
/// directory was put back. New records must not get the seqs and positions of those. Thread-safe.
public final class OldCopies {
  private final ArchiveReader archive;
  private final Log log;
  private final String stream;
  private final Map<String, Part> found = new ConcurrentHashMap<>();

  /// @param stream whose records the tenants have
  public OldCopies(ArchiveReader archive, Log log, String stream) {
    this.archive = archive;
    this.log = log;
    this.stream = stream;
  }

  /// The part of this log that the archived history has, too.
  ///
  /// @param epoch of its last record
  /// @param end the offset after it
  public record Part(String epoch, long end) {}

  /// What was found.
  public sealed interface Finding {
    /// The archive has nothing that the log does not have or had.
    record Continues() implements Finding {}

    /// The archive has more.
    record OldCopy(long archiveSeq, Part part) implements Finding {}

    /// The archive has more, and comes from another log.
    record Foreign(long archiveSeq) implements Finding {}
  }

  /// Compares a tenant's archive with the log.
  ///
  /// @param inStream of its records: `control` for `_control`
  /// @param seq the last one in its database
  public Finding look(String tenant, String inStream, long seq)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    ArchiveHead head = archive.head(tenant);
    if (head == null || head.seq() <= seq || head.checksum() == null) {
      return new Finding.Continues();
    }
    Position last = archive.lastPosition(tenant, head);
    List<SegmentInfo> segments = log.segments(inStream);
    for (SegmentInfo segment : segments) {
      if (segment.epoch().toString().startsWith(last.epoch())
          && last.offset() < segment.endOffset()) {
        // Applying has yet to reach it.
        return new Finding.Continues();
      }
    }
    Part part = commonPart(head.checksum().epoch(), segments);
    if (part == null) {
      part = commonPart(archive.segments(tenant).segments(), segments);
    }
    if (part == null) {
      return new Finding.Foreign(head.seq());
    }
    if (inStream.equals(stream)) {
      found.put(tenant, part);
    }
    return new Finding.OldCopy(head.seq(), part);
  }

  /// Up to the end of the newest epoch that both have.
  private static @Nullable Part commonPart(List<Segment> archived, List<SegmentInfo> log) {
    for (Segment one : archived.reversed()) {
      Part part = commonPart(one.checksum().epoch(), log);
      if (part != null) {
        return part;
      }
    }
    return null;
  }

  private static @Nullable Part commonPart(String epoch, List<SegmentInfo> log) {
    long end = -1;
    for (SegmentInfo segment : log) {
      if (segment.epoch().toString().equals(epoch)) {
        end = Math.max(end, segment.endOffset());
      }
    }
    return end < 0 ? null : new Part(epoch, end);
  }

  /// Says that a tenant of which this log has nothing goes on behind a part of it.
  public void continueBehind(String tenant, Part part) {
    found.put(tenant, part);
  }

  /// What [#look] has found for a tenant of the stream in this run, or null.
  @Nullable Part part(String tenant) {
    return found.get(tenant);
  }

  /// The tenant has its archive's records now.
  void caughtUp(String tenant) {
    found.remove(tenant);
  }
}
