package com.datanadhi.hub.log.segments;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Goes through a segment from a record on and names each record as sound and each run of offsets
/// without a sound record as damaged. Confined to one thread.
final class SegmentScan {
  /// What stands at the next offsets.
  sealed interface Step {}

  record Sound(SegmentReader.Frame frame) implements Step {}

  /// @param from the first offset without a sound record
  /// @param end the offset of the next sound record, or the end of the segment
  record Damaged(long from, long end) implements Step {}

  private final SegmentReader reader;
  private final long endOffset;
  private final long limit;
  private long expected;
  private long position;

  /// @param endOffset the scan ends there
  /// @param limit in the file
  SegmentScan(SegmentReader reader, long endOffset, long limit) {
    this(
        reader,
        new SegmentIndex.Entry(reader.name().firstOffset(), RecordFormat.SEGMENT_HEADER_BYTES),
        endOffset,
        limit);
  }

  SegmentScan(SegmentReader reader, SegmentIndex.Entry from, long endOffset, long limit) {
    this.reader = reader;
    this.endOffset = endOffset;
    this.limit = limit;
    this.expected = from.offset();
    this.position = from.position();
  }

  /// Null at the end.
  @Nullable Step next() throws IOException {
    if (expected >= endOffset) {
      return null;
    }
    SegmentReader.Frame frame = reader.at(position, limit);
    if (frame != null && frame.offset() == expected && !frame.isSeal()) {
      expected++;
      position = frame.end();
      return new Sound(frame);
    }
    long from = expected;
    SegmentReader.Frame next = reader.search(position, limit, expected, endOffset - 1);
    if (next == null) {
      expected = endOffset;
    } else if (next.offset() == expected) {
      // The index was wrong, or bytes were inserted: the record itself is there.
      expected++;
      position = next.end();
      return new Sound(next);
    } else {
      expected = next.offset();
      position = next.position();
    }
    return new Damaged(from, expected);
  }

  /// Where the last sound record ends.
  long position() {
    return position;
  }

  long expected() {
    return expected;
  }
}
