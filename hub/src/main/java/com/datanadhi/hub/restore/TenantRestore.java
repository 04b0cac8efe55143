package com.datanadhi.hub.restore;

import com.datanadhi.hub.apply.MailboxFollower;
import com.datanadhi.hub.apply.Replay;
import com.datanadhi.hub.archive.ArchiveFaultException;
import com.datanadhi.hub.archive.ArchiveReader;
import com.datanadhi.hub.archive.ArchiveReader.Segment;
import com.datanadhi.hub.archive.ArchiveReader.Segments;
import com.datanadhi.hub.archive.SegmentChecksum;
import com.datanadhi.hub.control.ControlReplay;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Takes a tenant's records from the archive, whole transactions as far as they are within the
/// target, behind what its database has. Used once, by one thread.
final class TenantRestore {
  private final String tenant;
  private final Target target;
  private final Start start;
  private final @Nullable Replay replay;
  private final Segments archived;
  private final List<Segment> segments;
  private final RestoreProgress progress;
  private final List<StoredEvent> transaction = new ArrayList<>();
  private final NearRecords near;
  private int current;
  private long seq;
  private long receivedAt;
  private @Nullable String epoch;
  private @Nullable Long roundedFrom;
  private boolean isOver;

  /// What the records are behind.
  ///
  /// @param bytes of the snapshot, or 0
  /// @param chain null if it is not known, which is at seq 0
  /// @param receivedAt of the last record, or 0
  /// @param epoch of the log; null if there is no record
  record Start(
      @Nullable String snapshotId,
      long bytes,
      long seq,
      @Nullable String chain,
      long receivedAt,
      @Nullable String epoch) {
    /// Before the first record.
    static final Start NOTHING = new Start(null, 0, 0, null, 0, null);
  }

  /// @param archived the tenant's archive
  /// @param databases to store into; null to find the cut alone
  /// @param mailboxes where items are added while records are stored; null to add none
  /// @param around how many records near the cut are told on each side
  TenantRestore(
      String tenant,
      Target target,
      Start start,
      Segments archived,
      @Nullable TenantDatabases databases,
      @Nullable MailboxFollower mailboxes,
      int around,
      RestoreProgress progress) {
    this.tenant = tenant;
    this.target = target;
    this.start = start;
    this.archived = archived;
    segments = archived.segments();
    this.progress = progress;
    near = new NearRecords(around);
    replay =
        databases == null ? null : new Replay(databases, tenant, new ControlReplay(), mailboxes);
    seq = start.seq();
    receivedAt = start.receivedAt();
    epoch = start.epoch();
  }

  /// Reads, and stores if there are databases.
  Cut run(ArchiveReader archive)
      throws ArchiveFaultException,
          ObjectStoreException,
          RestoreException,
          ViewException,
          InterruptedException {
    long end = archiveEnd();
    if (target instanceof Target.Seq(long wanted) && wanted > Math.max(end, start.seq())) {
      throw new RestoreException(
          "tenant "
              + tenant
              + ": there is no record with seq "
              + wanted
              + ": the archive ends with "
              + end);
    }
    if (replay == null) {
      lookBefore(archive);
    }
    boolean isAtStart = target instanceof Target.Seq(long wanted) && wanted <= start.seq();
    if (end > start.seq() && !isAtStart) {
      read(archive);
    } else if (isInArchive(start.seq())) {
      // Nothing is read behind the snapshot, whose chain has to be the archive's all the same.
      long _ = archive.<RuntimeException>read(archived, start.seq() + 1, start.chain(), _ -> false);
    }
    progress.at(tenant, seq, total());
    if (target instanceof Target.Seq(long wanted) && wanted > seq) {
      roundedFrom = wanted;
    }
    List<Segment> read = segmentsRead();
    return new Cut(
        tenant,
        start.snapshotId(),
        start.seq(),
        read.stream().map(s -> s.name().dataKey()).toList(),
        start.bytes() + read.stream().mapToLong(s -> s.checksum().bytes()).sum(),
        seq,
        epoch,
        receivedAt,
        end,
        near.all(),
        near.countBefore(),
        near.countAfter(),
        roundedFrom);
  }

  private void read(ArchiveReader archive)
      throws ArchiveFaultException, ObjectStoreException, ViewException, InterruptedException {
    try (replay) {
      long _ = archive.read(archived, start.seq() + 1, start.chain(), this::take);
      endTransaction();
      if (replay != null) {
        replay.finish();
      }
    }
  }

  /// The records before the cut can be those of the snapshot, which is not read to find the cut.
  private void lookBefore(ArchiveReader archive)
      throws ArchiveFaultException, ObjectStoreException, InterruptedException {
    int from = 0;
    while (from < segments.size() && segments.get(from).checksum().lastSeq() < start.seq()) {
      from++;
    }
    if (from == segments.size() || segments.get(from).checksum().firstSeq() > start.seq()) {
      return;
    }
    while (from > 0 && firstReceivedAt(archive, from) >= earliest(start.receivedAt())) {
      from--;
    }
    SegmentChecksum checksum = segments.get(from).checksum();
    long _ =
        archive.<RuntimeException>read(
            archived,
            checksum.firstSeq(),
            checksum.chainBefore(),
            event -> {
              if (event.seq() <= start.seq()) {
                noteBefore(event);
              }
              return event.seq() < start.seq();
            });
  }

  private long firstReceivedAt(ArchiveReader archive, int segment)
      throws ArchiveFaultException, ObjectStoreException, InterruptedException {
    SegmentChecksum checksum = segments.get(segment).checksum();
    long[] receivedAt = {Long.MIN_VALUE};
    long _ =
        archive.<RuntimeException>read(
            archived,
            checksum.firstSeq(),
            checksum.chainBefore(),
            event -> {
              receivedAt[0] = event.receivedAt();
              return false;
            });
    return receivedAt[0];
  }

  private boolean isInArchive(long seq) {
    return seq > 0
        && !segments.isEmpty()
        && segments.getFirst().checksum().firstSeq() <= seq
        && seq <= archiveEnd();
  }

  private long archiveEnd() {
    return segments.isEmpty() ? 0 : segments.getLast().checksum().lastSeq();
  }

  private long total() {
    return target instanceof Target.Seq(long wanted) ? wanted : archiveEnd();
  }

  private List<Segment> segmentsRead() {
    return segments.stream()
        .filter(s -> s.checksum().lastSeq() > start.seq() && s.checksum().firstSeq() <= seq)
        .toList();
  }

  private boolean take(StoredEvent event) throws ViewException, InterruptedException {
    if (event.part() == 1) {
      endTransaction();
    }
    transaction.add(event);
    // To find the cut alone, all that is near is counted.
    return !isOver || (isNear(event) && (replay == null || !near.isFull()));
  }

  private boolean isNear(StoredEvent event) {
    return event.receivedAt() <= cutMillis() + NearRecords.MILLIS;
  }

  private long cutMillis() {
    return target instanceof Target.Time(long millis) ? millis : receivedAt;
  }

  /// The transaction is whole: it is taken, or everything from it on is not.
  private void endTransaction() throws ViewException, InterruptedException {
    if (transaction.isEmpty()) {
      return;
    }
    StoredEvent last = transaction.getLast();
    isOver = isOver || !target.includes(last);
    for (StoredEvent event : transaction) {
      if (isOver) {
        noteAfter(event);
      } else {
        noteBefore(event);
        store(event);
      }
    }
    transaction.clear();
    if (!isOver) {
      seq = last.seq();
      receivedAt = last.receivedAt();
      progress.at(tenant, seq, total());
    }
  }

  private void store(StoredEvent event) throws ViewException, InterruptedException {
    while (segments.get(current).checksum().lastSeq() < event.seq()) {
      current++;
    }
    epoch = segments.get(current).checksum().epoch();
    if (replay != null) {
      replay.add(event, epoch);
    }
  }

  private void noteBefore(StoredEvent event) {
    near.addBefore(event, earliest(event.receivedAt()));
  }

  /// @param last moment of a record before the cut
  private long earliest(long last) {
    return (target instanceof Target.Time(long millis) ? millis : last) - NearRecords.MILLIS;
  }

  private void noteAfter(StoredEvent event) {
    if (isNear(event)) {
      near.addAfter(event);
    }
  }
}
