package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.segments.Segment.Bounds;
import com.datanadhi.hub.log.segments.Segment.Kind;
import com.datanadhi.hub.logging.Events;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Opens the files of one stream: everything in them is sealed afterwards, and on stable storage.
///
/// Of a segment that was open, the sound records are copied to a new file, which is synced and
/// renamed over it. Its end is the first record that is not sound, unless a later sound record says
/// that what is not sound had been synced: then this is damage, not a torn end, and it keeps its
/// offsets.
final class Recovery {
  /// @param end the offset of the next append
  /// @param retainedFrom the offset before which retention has deleted all
  /// @param empty a file without a sound record, to be deleted once the state file has the end
  record Result(List<Segment> segments, long end, long retainedFrom, Optional<SegmentName> empty) {}

  private record End(long offset, long position) {}

  private static final int COPY_BYTES = 1 << 20;

  private final Path directory;
  private final String stream;
  private final @Nullable StateFile state;
  private final long durableEnd;
  private final long now;

  /// @param state null if there is none
  /// @param now milliseconds since 1970
  Recovery(Path directory, String stream, @Nullable StateFile state, long now) {
    this.directory = directory;
    this.stream = stream;
    this.state = state;
    this.durableEnd = state == null ? 0 : state.ends().getOrDefault(stream, 0L);
    this.now = now;
  }

  Result run() throws IOException {
    NavigableMap<SegmentName, Kind> parts = list();
    long end = durableEnd;
    Optional<SegmentName> empty = Optional.empty();
    SegmentName last = parts.isEmpty() ? null : parts.lastKey();
    if (last != null && parts.get(last) == Kind.RECORDS) {
      long found = end(last);
      if (found == last.firstOffset()) {
        empty = Optional.of(last);
        parts.remove(last);
      }
      end = Math.max(end, found);
    } else if (last != null) {
      end = Math.max(end, last.firstOffset());
    }
    List<Segment> segments = new ArrayList<>(segments(parts, end));
    long found = segments.isEmpty() ? end : segments.getFirst().firstOffset();
    long retainedFrom = state == null ? found : state.start(stream, found);
    if (retainedFrom < found) {
      segments.addFirst(missing(retainedFrom, found, segments));
    }
    return new Result(segments, end, retainedFrom, empty);
  }

  private Segment missing(long first, long end, List<Segment> behind) {
    // Nothing shows the epochs of what is missing.
    UUID epoch = behind.isEmpty() ? new UUID(0, 0) : behind.getFirst().name().epoch();
    Segment missing =
        new Segment(
            new SegmentName(epoch, first), directory, Kind.MISSING, new Bounds(end, 0, now), null);
    missing.reportDamage(stream, first, end, "the segment is missing");
    return missing;
  }

  private NavigableMap<SegmentName, Kind> list() throws IOException {
    NavigableMap<SegmentName, Kind> parts = new TreeMap<>();
    List<Path> indexes = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        String name = String.valueOf(file.getFileName());
        if (name.endsWith(SegmentName.TEMPORARY)) {
          Files.delete(file);
        } else if (name.endsWith(SegmentName.INDEX)) {
          indexes.add(file);
        }
        SegmentName.parse(name, SegmentName.DELETED)
            .ifPresent(deleted -> parts.putIfAbsent(deleted, Kind.DELETED));
        SegmentName.parse(name, SegmentName.LOG)
            .ifPresent(segment -> parts.put(segment, Kind.RECORDS));
      }
    }
    for (Path index : indexes) {
      Optional<SegmentName> of =
          SegmentName.parse(String.valueOf(index.getFileName()), SegmentName.INDEX);
      if (of.isPresent() && parts.get(of.get()) != Kind.RECORDS) {
        Files.delete(index);
      }
    }
    return parts;
  }

  private List<Segment> segments(NavigableMap<SegmentName, Kind> parts, long end)
      throws IOException {
    List<Segment> segments = new ArrayList<>();
    for (Map.Entry<SegmentName, Kind> part : parts.entrySet()) {
      SegmentName name = part.getKey();
      Kind kind = part.getValue();
      SegmentName next = parts.higherKey(name);
      long endOffset = next == null ? end : next.firstOffset();
      if (segments.isEmpty() && kind == Kind.DELETED) {
        Files.deleteIfExists(name.in(directory, SegmentName.DELETED));
        continue;
      }
      long bytes = 0;
      long sealedAt = now;
      if (kind == Kind.RECORDS) {
        Path file = name.in(directory, SegmentName.LOG);
        bytes = Files.size(file);
        sealedAt = Math.max(1, Files.getLastModifiedTime(file).toMillis());
      }
      segments.add(
          new Segment(name, directory, kind, new Bounds(endOffset, bytes, sealedAt), null));
    }
    return segments;
  }

  private long end(SegmentName name) throws IOException {
    Path file = name.in(directory, SegmentName.LOG);
    try (SegmentReader reader = new SegmentReader(file, name)) {
      Optional<Long> sealed = sealedEnd(reader);
      if (sealed.isPresent()) {
        return sealed.get();
      }
      End end = findEnd(reader, Math.min(durableEnd, maxEnd(reader)));
      if (end.offset() > name.firstOffset()) {
        copy(reader, file, end);
      }
      return end.offset();
    }
  }

  /// The end offset of a sealed segment, from its last record.
  static Optional<Long> sealedEnd(SegmentReader reader) throws IOException {
    long size = reader.size();
    SegmentReader.@Nullable Frame seal = null;
    if (size >= RecordFormat.SEGMENT_HEADER_BYTES + RecordFormat.HEADER_BYTES) {
      seal = reader.at(size - RecordFormat.HEADER_BYTES, size);
    }
    return seal != null && seal.isSeal() && seal.offset() > reader.name().firstOffset()
        ? Optional.of(seal.offset())
        : Optional.empty();
  }

  private static long maxEnd(SegmentReader reader) throws IOException {
    return reader.name().firstOffset() + 1 + reader.size() / RecordFormat.HEADER_BYTES;
  }

  private End findEnd(SegmentReader reader, long durable) throws IOException {
    long first = reader.name().firstOffset();
    End sound = new End(first, RecordFormat.SEGMENT_HEADER_BYTES);
    long synced = Math.max(first, durable);
    SegmentScan scan = new SegmentScan(reader, maxEnd(reader), reader.size());
    boolean whole = true;
    for (SegmentScan.Step step = scan.next(); step != null; step = scan.next()) {
      switch (step) {
        case SegmentScan.Sound(SegmentReader.Frame frame) -> {
          synced = Math.max(synced, frame.stable());
          if (whole) {
            sound = new End(frame.offset() + 1, frame.end());
          }
        }
        case SegmentScan.Damaged _ -> whole = false;
      }
    }
    return sound.offset() >= synced ? sound : endBehindDamage(reader, synced);
  }

  /// The end when records before `synced` are damaged although they were on stable storage.
  private End endBehindDamage(SegmentReader reader, long synced) throws IOException {
    End end = new End(reader.name().firstOffset(), RecordFormat.SEGMENT_HEADER_BYTES);
    SegmentScan scan = new SegmentScan(reader, maxEnd(reader), reader.size());
    for (SegmentScan.Step step = scan.next(); step != null; step = scan.next()) {
      if (step instanceof SegmentScan.Sound(SegmentReader.Frame frame)) {
        end = new End(frame.offset() + 1, frame.end());
      } else if (step instanceof SegmentScan.Damaged(long from, long to)) {
        if (from >= synced || to > synced) {
          break;
        }
        Events.severe(
            "log_damaged", null, "stream", stream, "first_offset", from, "end_offset", to);
      }
    }
    return new End(Math.max(synced, end.offset()), end.position());
  }

  private void copy(SegmentReader reader, Path file, End end) throws IOException {
    Path copy = file.resolveSibling(file.getFileName() + SegmentName.TEMPORARY);
    SegmentName name = reader.name();
    try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ);
        FileChannel out =
            DurableFiles.open(copy, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
      ByteBuffer buffer = ByteBuffer.allocateDirect(COPY_BYTES);
      for (long position = 0; position < end.position(); ) {
        buffer.clear().limit((int) Math.min(COPY_BYTES, end.position() - position));
        if (in.read(buffer, position) < 0) {
          throw new IOException(file + " became shorter");
        }
        DurableFiles.writeFully(out, buffer.flip(), position);
        position += buffer.limit();
      }
      if (!reader.hasSoundHeader()) {
        DurableFiles.writeFully(
            out, RecordFormat.segmentHeader(name.epoch(), name.firstOffset(), now), 0);
      }
      byte[] seal = RecordFormat.seal(RecordFormat.epochBytes(name.epoch()), end.offset(), now);
      DurableFiles.writeFully(out, ByteBuffer.wrap(seal), end.position());
      out.force(true);
    }
    DurableFiles.makeReadOnly(copy);
    DurableFiles.move(copy, file);
    Files.deleteIfExists(name.in(directory, SegmentName.INDEX));
  }
}
