package com.datanadhi.hub.apply;

import com.datanadhi.hub.apply.ApplyDecisions.Loss;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.SegmentInfo;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads a stream in order and goes on behind ranges that are recorded as lost, also where they can
/// be read: live and rebuild decide alike. Thread-safe.
final class StreamReader {
  private final Log log;
  private final String stream;
  private final ApplyDecisions decisions;

  StreamReader(Log log, String stream, ApplyDecisions decisions) {
    this.log = log;
    this.stream = stream;
    this.decisions = decisions;
  }

  /// A part of the stream.
  ///
  /// @param entries that can be read
  /// @param next the offset to go on with; behind `from` also if all that was there is lost
  /// @param lost how many offsets were passed over
  record Chunk(List<Incoming> entries, long next, long lost) {}

  /// Reads from `from` on, but not to `to` and behind it.
  ///
  /// @throws DamagedException up to the next loss at most
  Chunk read(long from, long to, int maxRecords, long maxBytes)
      throws IOException, DamagedException {
    long limit = Math.min(to, log.stableEnd(stream));
    for (Loss loss : decisions.losses(stream)) {
      if (loss.first() <= from && from <= loss.last()) {
        long next = Math.max(from, Math.min(loss.last() + 1, Math.min(to, log.stableEnd(stream))));
        return new Chunk(List.of(), next, next - from);
      }
      if (loss.first() > from) {
        limit = Math.min(limit, loss.first());
      }
    }
    if (from >= limit) {
      return new Chunk(List.of(), from, 0);
    }
    long end = limit;
    List<LogEntry> entries;
    try {
      entries =
          log.read(stream, from, (int) Math.min(maxRecords, limit - from), maxBytes).stream()
              .filter(e -> e.offset() < end)
              .toList();
    } catch (DamagedException damaged) {
      throw damaged.before(end);
    }
    long next = entries.isEmpty() ? from : entries.getLast().offset() + 1;
    return new Chunk(entries.stream().map(Incoming::of).toList(), next, 0);
  }

  /// The epoch of a log record, or null if it is not there any more.
  @Nullable String epochAt(long offset) {
    for (SegmentInfo segment : log.segments(stream)) {
      if (segment.firstOffset() <= offset && offset < segment.endOffset()) {
        return segment.epoch().toString();
      }
    }
    return null;
  }

  Log log() {
    return log;
  }

  String stream() {
    return stream;
  }
}
