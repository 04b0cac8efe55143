package com.datanadhi.hub.archive;

import com.datanadhi.hub.apply.LoopSignal;
import com.datanadhi.hub.archive.ArchiveListing.Parts;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// Deletes segments whose day is older than the retention, and which end before the seq of a proven
/// snapshot.
///
/// The retained mark is written first: from then on the archive begins behind what is going to be
/// deleted. Then older marks go, and the segments, the oldest first, and of each the records before
/// the checksum. So whatever is left by an interruption still has a checksum that says that it ends
/// before the mark, and readers pass over it without looking at its records; the next turn deletes
/// the rest. The other way round, records without a checksum would stay, which look like a segment
/// whose checksum was taken away, or like one that a hub is writing now.
///
/// One thread calls [#run] or [#turn].
public final class ArchiveRetention {
  private static final Duration PAUSE = Duration.ofHours(1);

  private final ObjectStore store;
  private final ArchiveReader reader;
  private final Duration retention;
  private final ToLongFunction<String> provenSnapshotSeq;
  private final BooleanSupplier isPaused;
  private final Clock clock;
  private final LoopSignal signal = new LoopSignal();

  /// @param retention the age at which a day's segments are deleted
  /// @param provenSnapshotSeq the seq of a tenant's newest proven snapshot, or -1
  /// @param isPaused whether nothing is to be deleted now, such as after a step of the clock
  public ArchiveRetention(
      ObjectStore store,
      Duration retention,
      ToLongFunction<String> provenSnapshotSeq,
      BooleanSupplier isPaused,
      Clock clock) {
    this.store = store;
    this.reader = new ArchiveReader(store);
    this.retention = retention;
    this.provenSnapshotSeq = provenSnapshotSeq;
    this.isPaused = isPaused;
    this.clock = clock;
  }

  /// Works until [#stop] or an interrupt.
  public void run() throws InterruptedException {
    while (!signal.isStopped()) {
      turn();
      signal.pause(PAUSE);
    }
  }

  public void stop() {
    signal.stop();
  }

  /// Deletes what is old now, of all tenants.
  public void turn() throws InterruptedException {
    try {
      for (String tenant : reader.tenants()) {
        if (signal.isStopped() || isPaused.getAsBoolean()) {
          return;
        }
        prune(tenant);
      }
    } catch (ObjectStoreException failed) {
      Events.warning("archive_retention_failed", "reason", failed.getMessage());
    }
  }

  private void prune(String tenant) throws ObjectStoreException, InterruptedException {
    List<LocalDate> days = oldDays(tenant);
    if (days.isEmpty()) {
      return;
    }
    try {
      Plan plan = plan(tenant, days);
      if (plan.segments().isEmpty() && plan.olderMarks().isEmpty()) {
        return;
      }
      RetainedMark mark = plan.mark();
      if (plan.isNew()) {
        write(mark);
      }
      for (long older : plan.olderMarks()) {
        store.delete(ArchiveKeys.retained(tenant, older));
      }
      for (SegmentName segment : plan.segments()) {
        if (signal.isStopped()) {
          return;
        }
        store.delete(segment.dataKey());
        store.delete(segment.checksumKey());
      }
      Events.info(
          "archive_segments_deleted",
          "tenant",
          tenant,
          "segments",
          plan.segments().size(),
          "first_seq",
          mark.firstSeq());
    } catch (ArchiveFaultException wrong) {
      Events.warning("archive_retention_stopped", "tenant", tenant, "reason", wrong.getMessage());
    }
  }

  /// The days whose last moment is older than the retention, in order.
  private List<LocalDate> oldDays(String tenant) throws ObjectStoreException, InterruptedException {
    long before = clock.wallMillis() - retention.toMillis();
    List<LocalDate> days = new ArrayList<>();
    for (String folder : store.folders(ArchiveKeys.tenant(tenant))) {
      LocalDate day = ArchiveKeys.date(folder);
      if (day != null
          && day.plusDays(1).atStartOfDay(ZoneOffset.UTC).toInstant().toEpochMilli() <= before) {
        days.add(day);
      }
    }
    return days;
  }

  /// What is to be deleted.
  ///
  /// @param segments in order, those that are left over from the turn before first
  /// @param mark where the archive begins afterwards
  /// @param isNew whether the mark is not there yet
  private record Plan(
      List<SegmentName> segments, RetainedMark mark, boolean isNew, List<Long> olderMarks) {}

  private Plan plan(String tenant, List<LocalDate> days)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    List<Long> marks = reader.marks(tenant);
    @Nullable RetainedMark written = marks.isEmpty() ? null : reader.mark(tenant, marks.getLast());
    RetainedMark mark =
        written == null
            ? new RetainedMark(tenant, 1, ArchiveHead.none(tenant).chain(), null)
            : written;
    long begin = mark.firstSeq();
    long proven = provenSnapshotSeq.applyAsLong(tenant);
    List<SegmentName> segments = new ArrayList<>();
    boolean isMore = true;
    for (LocalDate day : days) {
      ArchiveListing listing = ArchiveListing.of(store, tenant, ArchiveKeys.day(tenant, day));
      for (Map.Entry<SegmentName, Parts> entry : listing.segments().entrySet()) {
        SegmentName name = entry.getKey();
        if (!isMore || !entry.getValue().checksum()) {
          isMore = false;
          break;
        }
        byte[] text = Contents.read(store, name.checksumKey(), SegmentChecksum.MAX_BYTES);
        SegmentChecksum checksum = ArchiveReader.decode(name, text);
        if (checksum.lastSeq() < begin) {
          segments.add(name);
        } else if (checksum.lastSeq() < proven) {
          segments.add(name);
          mark = behind(mark, name, checksum, text);
        } else {
          isMore = false;
        }
      }
    }
    boolean isNew = mark.firstSeq() > begin;
    List<Long> older = isNew || marks.isEmpty() ? marks : marks.subList(0, marks.size() - 1);
    return new Plan(segments, mark, isNew, older);
  }

  /// The mark behind a segment. What does not continue is not deleted: it is evidence.
  private static RetainedMark behind(
      RetainedMark before, SegmentName name, SegmentChecksum checksum, byte[] text)
      throws ArchiveFaultException {
    if (checksum.firstSeq() != before.firstSeq()
        || !checksum.chainBefore().equals(before.chainBefore())
        || !Objects.equals(checksum.previous(), before.previous())) {
      throw new ArchiveFaultException(
          name.checksumKey(),
          "does not follow what is before it; `echopost-hub verify archive` tells more");
    }
    return new RetainedMark(
        name.tenant(), checksum.lastSeq() + 1, checksum.chainAfter(), SegmentChecksum.digest(text));
  }

  private void write(RetainedMark mark)
      throws ObjectStoreException, ArchiveFaultException, InterruptedException {
    byte[] text = mark.encode();
    boolean _ = store.create(mark.key(), text);
    if (!Arrays.equals(Contents.read(store, mark.key(), RetainedMark.MAX_BYTES), text)) {
      throw new ArchiveFaultException(mark.key(), "is not what is to be written there");
    }
  }
}
