package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.SegmentInfo;
import com.datanadhi.hub.logging.Events;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A part of a stream: a segment's file, or what stands in its place. Thread-safe.
final class Segment {
  /// What is there.
  enum Kind {
    RECORDS,
    /// Deleted after nobody needed it, while an older one stays.
    DELETED,
    /// The first part of the stream, although retention has not deleted it.
    MISSING
  }

  /// What of it can be read, and since when it is sealed.
  ///
  /// @param limit in the file, in bytes
  /// @param sealedAt in ms since 1970; 0 if it is open
  record Bounds(long endOffset, long limit, long sealedAt) {}

  private final SegmentName name;
  private final Path directory;
  private volatile Kind kind;
  private volatile Bounds bounds;
  private volatile boolean damaged;
  private volatile @Nullable SegmentIndex index;

  Segment(
      SegmentName name, Path directory, Kind kind, Bounds bounds, @Nullable SegmentIndex index) {
    this.name = name;
    this.directory = directory;
    this.kind = kind;
    this.bounds = bounds;
    this.index = index;
  }

  SegmentName name() {
    return name;
  }

  long firstOffset() {
    return name.firstOffset();
  }

  Path file() {
    return name.in(directory, SegmentName.LOG);
  }

  Path indexFile() {
    return name.in(directory, SegmentName.INDEX);
  }

  Path file(String ending) {
    return name.in(directory, ending);
  }

  Kind kind() {
    return kind;
  }

  void becomes(Kind newKind) {
    kind = newKind;
  }

  Bounds bounds() {
    return bounds;
  }

  void extend(Bounds newBounds) {
    bounds = newBounds;
  }

  boolean isSealed() {
    return bounds.sealedAt() != 0;
  }

  /// Whether a record of it could not be read.
  boolean isDamaged() {
    return damaged || kind == Kind.MISSING;
  }

  /// Notes that records of it cannot be read. The first time in a run this is an event.
  void reportDamage(String stream, long first, long end, String reason) {
    boolean isKnown = damaged;
    damaged = true;
    if (!isKnown) {
      Events.severe(
          "log_damaged",
          null,
          "stream",
          stream,
          "segment",
          name,
          "first_offset",
          first,
          "end_offset",
          end,
          "reason",
          reason);
    }
  }

  /// Null if it is not in memory.
  @Nullable SegmentIndex index() {
    return index;
  }

  void keepIndex(@Nullable SegmentIndex newIndex) {
    index = newIndex;
  }

  SegmentInfo info() {
    Bounds now = bounds;
    long seal = now.sealedAt() == 0 ? 0 : RecordFormat.HEADER_BYTES;
    long frame = RecordFormat.SEGMENT_HEADER_BYTES + seal;
    return new SegmentInfo(
        name.epoch(),
        name.firstOffset(),
        now.endOffset(),
        Math.max(0, now.limit() - frame),
        now.sealedAt());
  }
}
