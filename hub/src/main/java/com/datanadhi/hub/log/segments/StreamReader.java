package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.segments.SegmentReader.Frame;
import com.datanadhi.hub.logging.Events;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One call of read on a stream.
final class StreamReader {
  private final Stream stream;
  private final int maxRecords;
  private final long maxBytes;
  private final List<LogEntry> entries = new ArrayList<>();
  private long bytes;
  private long next;
  private boolean full;

  /// @param from at or behind the start of the stream
  StreamReader(Stream stream, long from, int maxRecords, long maxBytes) {
    this.stream = stream;
    this.next = from;
    this.maxRecords = maxRecords;
    this.maxBytes = maxBytes;
  }

  List<LogEntry> read() throws IOException, DamagedException {
    long stableEnd = stream.stableEnd();
    try {
      while (!full && next < stableEnd) {
        readSegment(stableEnd);
      }
    } catch (DamagedException damaged) {
      if (entries.isEmpty()) {
        throw damaged;
      }
    }
    return entries;
  }

  private void readSegment(long stableEnd) throws IOException, DamagedException {
    Segment segment = stream.floor(next);
    if (segment == null) {
      throw new IllegalArgumentException(
          stream.name() + " begins at " + stream.start() + ", behind " + next);
    }
    Segment.Bounds bounds = segment.bounds();
    long end = Math.min(bounds.endOffset(), stableEnd);
    if (next >= end) {
      throw damaged(
          segment, next, Math.min(stableEnd, stream.nextStart(next)), "no segment has it");
    }
    switch (segment.kind()) {
      case DELETED -> throw damaged(segment, next, end, "the segment was deleted");
      case MISSING -> throw damaged(segment, next, end, "the segment is missing");
      case RECORDS -> {
        Stream.Cursor cursor = cursor(segment, bounds);
        if (cursor != null) {
          readRecords(cursor, bounds, end);
        }
      }
    }
  }

  private DamagedException damaged(Segment segment, long first, long end, String reason) {
    segment.reportDamage(stream.name(), first, end, reason);
    return new DamagedException(stream.name(), first, end, reason);
  }

  /// A reader of the segment, or null if the segment is not what it was a moment ago.
  private Stream.@Nullable Cursor cursor(Segment segment, Segment.Bounds bounds)
      throws IOException, DamagedException {
    Stream.Cursor idle = stream.takeCursor();
    if (idle != null && idle.segment == segment) {
      idle.reader.refresh();
      return idle;
    }
    if (idle != null) {
      idle.reader.close();
    }
    SegmentReader reader;
    try {
      reader = new SegmentReader(segment.file(), segment.name());
    } catch (FileNotFoundException missing) {
      if (segment.kind() != Segment.Kind.RECORDS || stream.floor(next) != segment) {
        return null;
      }
      throw damaged(segment, next, bounds.endOffset(), "its file is missing");
    }
    return new Stream.Cursor(
        segment,
        reader,
        new SegmentIndex.Entry(segment.firstOffset(), RecordFormat.SEGMENT_HEADER_BYTES));
  }

  private void readRecords(Stream.Cursor cursor, Segment.Bounds bounds, long end)
      throws IOException, DamagedException {
    boolean failed = true;
    try {
      collect(cursor, bounds, end);
      failed = false;
    } finally {
      Stream.Cursor old = failed ? cursor : stream.keepCursor(cursor);
      if (old != null) {
        old.reader.close();
      }
    }
  }

  private void collect(Stream.Cursor cursor, Segment.Bounds bounds, long end)
      throws IOException, DamagedException {
    SegmentReader reader = cursor.reader;
    SegmentScan scan = new SegmentScan(reader, start(cursor, bounds), end, bounds.limit());
    for (SegmentScan.Step step = scan.next(); step != null; step = scan.next()) {
      switch (step) {
        case SegmentScan.Damaged(long from, long to) -> {
          if (to > next) {
            throw damaged(cursor.segment, Math.max(from, next), to, "no sound record is there");
          }
        }
        case SegmentScan.Sound(Frame frame) -> {
          if (frame.offset() >= next && !take(reader, frame)) {
            return;
          }
          cursor.at = new SegmentIndex.Entry(scan.expected(), scan.position());
        }
      }
    }
  }

  private boolean take(SegmentReader reader, Frame frame) throws IOException {
    full =
        entries.size() == maxRecords || (!entries.isEmpty() && bytes + frame.length() > maxBytes);
    if (full) {
      return false;
    }
    entries.add(
        new LogEntry(
            reader.epoch(), frame.offset(), frame.type(), frame.time(), reader.payload(frame)));
    bytes += frame.length();
    next = frame.offset() + 1;
    // Saves a look at the next record, which can be large.
    full = entries.size() == maxRecords || bytes >= maxBytes;
    return true;
  }

  /// Where to begin the scan for the next offset: where the cursor is, or by the index.
  private SegmentIndex.Entry start(Stream.Cursor cursor, Segment.Bounds bounds) throws IOException {
    if (cursor.at.offset() == next) {
      return cursor.at;
    }
    SegmentIndex.Entry entry = index(cursor, bounds).floor(next, cursor.segment.firstOffset());
    Frame frame = cursor.reader.at(entry.position(), bounds.limit());
    return frame != null && frame.offset() == entry.offset()
        ? entry
        // The record is damaged, or the index is wrong.
        : new SegmentIndex.Entry(cursor.segment.firstOffset(), RecordFormat.SEGMENT_HEADER_BYTES);
  }

  private SegmentIndex index(Stream.Cursor cursor, Segment.Bounds bounds) throws IOException {
    Segment segment = cursor.segment;
    SegmentIndex index = segment.index();
    if (index != null) {
      return index;
    }
    index =
        SegmentIndex.read(segment.indexFile(), segment.name(), bounds.endOffset(), bounds.limit());
    if (index == null) {
      index = SegmentIndex.build(cursor.reader, bounds.endOffset(), bounds.limit());
      try {
        index.write(segment.indexFile(), segment.name(), bounds.endOffset(), bounds.limit());
      } catch (IOException unwritable) {
        Events.warning("log_index_not_written", "segment", segment.name(), "reason", unwritable);
      }
    }
    stream.keepIndex(segment, index);
    return index;
  }
}
