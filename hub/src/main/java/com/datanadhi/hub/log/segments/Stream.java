package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.SegmentInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A stream of a [SegmentLog]. What is guarded by the log's lock says so; the rest is thread-safe.
final class Stream {
  private static final int INDEXES_IN_MEMORY = 8;

  private final String name;
  private final Path directory;
  private final long segmentBytes;
  private final ConcurrentSkipListMap<Long, Segment> segments = new ConcurrentSkipListMap<>();
  private final AtomicReference<@Nullable Cursor> idleCursor = new AtomicReference<>();
  private final ReentrantLock stableLock = new ReentrantLock();
  private final Condition stableChanged = stableLock.newCondition();
  private final List<Segment> withIndex = new ArrayList<>();
  private volatile long stableEnd;
  private volatile long retainedFrom;

  /// Guarded by the log's lock: the offset of the next append, bytes accepted and not written,
  /// bytes that fit into the open segment.
  long next;

  long waitingBytes;
  long remainingBytes;

  Stream(String name, Path directory, long segmentBytes) {
    this.name = name;
    this.directory = directory;
    this.segmentBytes = segmentBytes;
  }

  String name() {
    return name;
  }

  Path directory() {
    return directory;
  }

  long segmentBytes() {
    return segmentBytes;
  }

  void recovered(Recovery.Result result) {
    result.segments().forEach(this::add);
    next = result.end();
    stableEnd = result.end();
    retainedFrom = result.retainedFrom();
  }

  /// The offset before which retention has deleted all, or is about to.
  long retainedFrom() {
    return retainedFrom;
  }

  /// Notes that all before this offset is going to be deleted.
  void retainFrom(long offset) {
    retainedFrom = Math.max(retainedFrom, offset);
  }

  /// Whether nothing that is there stands before this segment.
  boolean isOldest(Segment segment) {
    return segments.headMap(segment.firstOffset()).values().stream()
        .allMatch(before ->
            before.kind() == Segment.Kind.MISSING || before.kind() == Segment.Kind.DELETED);
  }

  /// Where the stream begins without its oldest segment.
  long startWithout(Segment oldest) {
    for (Segment next : segments.tailMap(oldest.firstOffset(), false).values()) {
      if (next.kind() != Segment.Kind.DELETED) {
        return next.firstOffset();
      }
    }
    return oldest.bounds().endOffset();
  }

  void add(Segment segment) {
    segments.put(segment.firstOffset(), segment);
  }

  void remove(Segment segment) {
    segments.remove(segment.firstOffset(), segment);
  }

  @Nullable Segment at(long firstOffset) {
    return segments.get(firstOffset);
  }

  /// The part that this offset is in, or the one before it.
  @Nullable Segment floor(long offset) {
    Map.Entry<Long, Segment> entry = segments.floorEntry(offset);
    return entry == null ? null : entry.getValue();
  }

  /// Where the next part begins, or the end of what can be read.
  long nextStart(long offset) {
    Long next = segments.higherKey(offset);
    return next == null ? stableEnd : next;
  }

  List<Segment> segments() {
    return List.copyOf(segments.values());
  }

  List<SegmentInfo> infos() {
    return segments.values().stream()
        .filter(segment -> segment.kind() == Segment.Kind.RECORDS)
        .map(Segment::info)
        .toList();
  }

  long start() {
    for (Segment segment : segments.values()) {
      if (segment.kind() != Segment.Kind.DELETED) {
        return segment.firstOffset();
      }
    }
    return stableEnd;
  }

  long stableEnd() {
    return stableEnd;
  }

  void stable(long end) {
    stableLock.lock();
    try {
      stableEnd = end;
      stableChanged.signalAll();
    } finally {
      stableLock.unlock();
    }
  }

  void wakeWaiters() {
    stable(stableEnd);
  }

  /// Keeps the index of a sealed segment in memory, instead of the one that was kept longest.
  synchronized void keepIndex(Segment segment, SegmentIndex index) {
    segment.keepIndex(index);
    withIndex.remove(segment);
    withIndex.add(segment);
    if (withIndex.size() > INDEXES_IN_MEMORY) {
      withIndex.removeFirst().keepIndex(null);
    }
  }

  /// Forgets what can be read again.
  synchronized void releaseIndexes() {
    withIndex.forEach(segment -> segment.keepIndex(null));
    withIndex.clear();
  }

  interface Ended {
    boolean isEnded();
  }

  boolean awaitStable(long offset, long nanos, Ended ended) throws InterruptedException {
    long left = nanos;
    stableLock.lockInterruptibly();
    try {
      while (stableEnd <= offset && left > 0 && !ended.isEnded()) {
        left = stableChanged.awaitNanos(left);
      }
      return stableEnd > offset;
    } finally {
      stableLock.unlock();
    }
  }

  /// A reader that stands somewhere, for one thread at a time.
  static final class Cursor {
    final Segment segment;
    final SegmentReader reader;
    SegmentIndex.Entry at;

    Cursor(Segment segment, SegmentReader reader, SegmentIndex.Entry at) {
      this.segment = segment;
      this.reader = reader;
      this.at = at;
    }
  }

  /// The reader that was used last, if nobody else has it.
  @Nullable Cursor takeCursor() {
    return idleCursor.getAndSet(null);
  }

  /// Keeps the reader for later.
  ///
  /// @return the one that it replaces, to be closed
  @Nullable Cursor keepCursor(@Nullable Cursor cursor) {
    return idleCursor.getAndSet(cursor);
  }
}
