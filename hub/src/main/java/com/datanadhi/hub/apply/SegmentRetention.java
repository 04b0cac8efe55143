package com.datanadhi.hub.apply;

import com.datanadhi.hub.apply.ParkedTenants.Parked;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.SegmentInfo;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Deletes sealed segments of the log that nobody needs any more. A segment is *proven* when every
/// record in it is applied and durable in each database that it touches, what is stored of it is
/// archived, and no parked tenant needs it; it is deleted when it has been proven for as long as
/// the retention, or set aside if records in it are lost. Thread-safe.
public final class SegmentRetention {
  private final Log log;
  private final String stream;
  private final LongSupplier archivedThrough;
  private final Duration retention;
  private final long maxProvenBytes;
  private final BooleanSupplier isPaused;
  private final DatabaseChecks checks;
  private final ApplyDecisions decisions;
  private final Supplier<SortedMap<Long, String>> unreadable;
  private final Supplier<List<Parked>> parked;
  private final Clock clock;
  private final SortedMap<Long, Long> proven = new TreeMap<>();
  private long through;
  private List<Parked> parkedBefore;
  private @Nullable String blocker;

  /// @param archivedThrough the offset before which everything that is stored is archived
  /// @param retention how long a proven segment stays
  /// @param maxProvenBytes how many bytes of proven segments stay at most
  /// @param isPaused whether nothing is to be deleted now, such as after a step of the clock
  public SegmentRetention(
      Log log,
      ApplyLoop loop,
      LongSupplier archivedThrough,
      Duration retention,
      long maxProvenBytes,
      BooleanSupplier isPaused,
      Clock clock) {
    this.log = log;
    this.stream = loop.reader().stream();
    this.archivedThrough = archivedThrough;
    this.retention = retention;
    this.maxProvenBytes = maxProvenBytes;
    this.isPaused = isPaused;
    this.clock = clock;
    unreadable = loop.unreadable()::waiting;
    parked = loop.parked()::list;
    checks = loop.checks();
    decisions = loop.decisions();
    // What `applied-through` said when this run began.
    through = loop.start();
    parkedBefore = loop.parked().list();
    proven.putAll(loop.provenBefore());
  }

  /// When each segment that is still there was proven, by its first offset.
  synchronized SortedMap<Long, Long> proven() {
    return new TreeMap<>(proven);
  }

  /// Takes what `applied-through` says now.
  synchronized void durable(AppliedThrough written) {
    through = written.through();
    parkedBefore = written.parked();
  }

  /// Why the oldest sealed segment that is not proven has to stay, or null if there is none.
  public synchronized @Nullable String blocker() {
    return blocker;
  }

  /// Bytes of sealed segments.
  ///
  /// @param unprovenBytes of sealed segments that something still needs
  /// @param provenBytes of sealed segments that wait for the end of the retention
  public record Retained(long unprovenBytes, long provenBytes) {}

  public synchronized Retained retained() {
    long unprovenBytes = 0;
    long provenBytes = 0;
    for (SegmentInfo segment : log.segments(stream)) {
      if (segment.isSealed()) {
        if (proven.containsKey(segment.firstOffset())) {
          provenBytes += segment.bytes();
        } else {
          unprovenBytes += segment.bytes();
        }
      }
    }
    return new Retained(unprovenBytes, provenBytes);
  }

  /// Proves and deletes what it can.
  public synchronized void turn() {
    if (!checks.isComplete()) {
      // A database that is an older copy needs segments that it seems not to need.
      return;
    }
    String reason = null;
    long now = clock.wallMillis();
    long provenBytes = 0;
    SortedMap<Long, Long> still = new TreeMap<>();
    List<SegmentInfo> segments = log.segments(stream);
    for (SegmentInfo segment : segments) {
      if (!segment.isSealed()) {
        continue;
      }
      String why = needed(segment);
      if (why == null) {
        Long since = proven.get(segment.firstOffset());
        still.put(segment.firstOffset(), since == null ? now : since);
        provenBytes += segment.bytes();
      } else if (reason == null) {
        reason = why;
      }
    }
    proven.clear();
    proven.putAll(still);
    blocker = reason;
    if (isPaused.getAsBoolean()) {
      return;
    }
    for (SegmentInfo segment : segments) {
      Long since = proven.get(segment.firstOffset());
      if (since != null && (now - since >= retention.toMillis() || provenBytes > maxProvenBytes)) {
        try {
          if (hasLoss(segment)) {
            log.setAsideSegment(stream, segment.firstOffset());
          } else {
            log.deleteSegment(stream, segment.firstOffset());
          }
        } catch (IOException failed) {
          Events.warning(
              "segment_not_deleted",
              "stream",
              stream,
              "first_offset",
              segment.firstOffset(),
              "reason",
              failed.toString());
          return;
        }
        Events.info(
            "segment_deleted",
            "stream",
            stream,
            "first_offset",
            segment.firstOffset(),
            "end_offset",
            segment.endOffset());
        proven.remove(segment.firstOffset());
        provenBytes -= segment.bytes();
      }
    }
  }

  private boolean hasLoss(SegmentInfo segment) {
    return decisions.losses(stream).stream()
        .anyMatch(
            loss -> loss.first() < segment.endOffset() && segment.firstOffset() <= loss.last());
  }

  private @Nullable String needed(SegmentInfo segment) {
    if (segment.endOffset() > through) {
      return "not yet applied and durable: offsets from "
          + Math.max(through, segment.firstOffset());
    }
    String parkedTenant = neededBy(parked.get(), segment);
    if (parkedTenant == null) {
      parkedTenant = neededBy(parkedBefore, segment);
    }
    if (parkedTenant != null) {
      return "needed by the parked tenant " + parkedTenant;
    }
    SortedMap<Long, String> waiting =
        unreadable.get().subMap(segment.firstOffset(), segment.endOffset());
    if (!waiting.isEmpty()) {
      return "holds log record " + waiting.firstKey() + ", which cannot be read and is not skipped";
    }
    // What was proven before is archived, also while the store cannot be asked.
    long archived = archivedThrough.getAsLong();
    return segment.endOffset() <= archived || proven.containsKey(segment.firstOffset())
        ? null
        : "not archived: offsets from " + Math.max(archived, segment.firstOffset());
  }

  private static @Nullable String neededBy(List<Parked> tenants, SegmentInfo segment) {
    for (Parked tenant : tenants) {
      if (tenant.neededFrom() < segment.endOffset()) {
        return tenant.tenant();
      }
    }
    return null;
  }
}
