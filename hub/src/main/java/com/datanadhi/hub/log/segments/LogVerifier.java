package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.segments.Segment.Kind;
import com.datanadhi.hub.log.segments.SegmentReader.Frame;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Reads all records of a log directory and names what is wrong. It changes nothing and takes no
/// lock: a hub may run on the directory. What that hub appends or deletes meanwhile is no finding.
/// Confined to one thread.
public final class LogVerifier {
  /// Something wrong.
  ///
  /// @param segment the name of a file; empty if it is of none
  /// @param firstOffset of the records that are affected
  /// @param endOffset after them; equal to the first if no record is affected
  public record Finding(
      String stream, String segment, long firstOffset, long endOffset, String what) {
    @Override
    public String toString() {
      String where = segment.isEmpty() ? stream : stream + "/" + segment;
      return firstOffset == endOffset
          ? where + ": " + what
          : where + ": records " + firstOffset + " to " + (endOffset - 1) + ": " + what;
    }
  }

  /// The result.
  ///
  /// @param records that are sound
  /// @param bytes of these records
  public record Report(long segments, long records, long bytes, List<Finding> findings) {
    public Report {
      findings = List.copyOf(findings);
    }

    public boolean isSound() {
      return findings.isEmpty();
    }
  }

  private static final String MISSING = "the segment is missing";

  private final List<Finding> findings = new ArrayList<>();
  private long segments;
  private long records;
  private long bytes;

  private LogVerifier() {}

  /// Reads everything in a log directory.
  ///
  /// @param directory of the log: `DIR/log`
  /// @throws IOException a directory cannot be listed
  public static Report verify(Path directory) throws IOException {
    LogVerifier verifier = new LogVerifier();
    verifier.log(directory);
    return new Report(verifier.segments, verifier.records, verifier.bytes, verifier.findings);
  }

  private void log(Path directory) throws IOException {
    StateFile state = StateFile.read(directory);
    TreeSet<Path> streams = new TreeSet<>();
    try (DirectoryStream<Path> children = Files.newDirectoryStream(directory, Files::isDirectory)) {
      children.forEach(streams::add);
    }
    if (state == null && !streams.isEmpty()) {
      findings.add(new Finding("", "state", 0, 0, "the file is missing or damaged"));
    }
    for (Path stream : streams) {
      String name = String.valueOf(stream.getFileName());
      stream(directory, name, state == null ? 0 : state.ends().getOrDefault(name, 0L));
    }
    if (state != null) {
      state
          .ends()
          .forEach((name, end) -> {
            if (!streams.contains(directory.resolve(name))) {
              missing(name, state.start(name, 0), end, "the directory is missing");
            }
          });
    }
  }

  private void missing(String stream, long first, long end, String what) {
    if (first < end) {
      findings.add(new Finding(stream, "", first, end, what));
    }
  }

  /// What is there of a stream, up to the last segment that a first reading of the directory finds.
  /// A reading can pass over a name that is made or changed meanwhile; a second one finds all that
  /// stood before that segment.
  private static NavigableMap<SegmentName, Kind> parts(Path directory) throws IOException {
    NavigableMap<SegmentName, Kind> parts = list(directory);
    if (!parts.isEmpty()) {
      list(directory)
          .headMap(parts.lastKey(), true)
          .forEach((name, kind) -> parts.merge(name, kind, LogVerifier::stronger));
    }
    return parts;
  }

  private static NavigableMap<SegmentName, Kind> list(Path directory) throws IOException {
    NavigableMap<SegmentName, Kind> parts = new TreeMap<>();
    Map<String, Kind> kinds =
        Map.of(SegmentName.LOG, Kind.RECORDS, SegmentName.DELETED, Kind.DELETED);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        kinds.forEach((ending, kind) ->
            SegmentName.parse(String.valueOf(file.getFileName()), ending)
                .ifPresent(name -> parts.merge(name, kind, LogVerifier::stronger)));
      }
    }
    return parts;
  }

  private static Kind stronger(Kind one, Kind other) {
    return one == Kind.RECORDS || other == Kind.DELETED ? one : other;
  }

  /// The offset before which retention has deleted all. A hub notes it before it deletes: so it is
  /// read after what is there.
  private static long retainedFrom(Path log, String stream, NavigableMap<SegmentName, Kind> parts)
      throws IOException {
    StateFile state = StateFile.read(log);
    long unknown = parts.isEmpty() ? Long.MAX_VALUE : parts.firstKey().firstOffset();
    return state == null ? unknown : state.start(stream, unknown);
  }

  private void stream(Path log, String stream, long durableEnd) throws IOException {
    Path directory = log.resolve(stream);
    NavigableMap<SegmentName, Kind> parts = parts(directory);
    long retainedFrom = retainedFrom(log, stream, parts);
    missing(
        stream,
        retainedFrom,
        parts.isEmpty() ? durableEnd : parts.firstKey().firstOffset(),
        MISSING);
    for (Map.Entry<SegmentName, Kind> part : parts.entrySet()) {
      SegmentName name = part.getKey();
      SegmentName next = parts.higherKey(name);
      switch (part.getValue()) {
        case DELETED, MISSING -> {}
        case RECORDS -> {
          Path file = name.in(directory, SegmentName.LOG);
          try (SegmentReader reader = new SegmentReader(file, name)) {
            segments++;
            segment(stream, reader, next, durableEnd, retainedFrom);
          } catch (IOException unreadable) {
            if (Files.notExists(file)) {
              // A hub deletes segments that nobody needs.
              continue;
            }
            findings.add(
                new Finding(
                    stream,
                    name + SegmentName.LOG,
                    name.firstOffset(),
                    next == null ? name.firstOffset() : next.firstOffset(),
                    "it cannot be read: " + unreadable.getMessage()));
          }
        }
      }
    }
  }

  private void segment(
      String stream,
      SegmentReader reader,
      @Nullable SegmentName next,
      long durableEnd,
      long retainedFrom)
      throws IOException {
    String file = reader.name() + SegmentName.LOG;
    long first = reader.name().firstOffset();
    Optional<Long> sealed = Recovery.sealedEnd(reader);
    if (next == null && sealed.isEmpty()) {
      openSegment(stream, reader, durableEnd);
      return;
    }
    if (!reader.hasSoundHeader()) {
      findings.add(new Finding(stream, file, first, first, "its header is damaged"));
    }
    long nextFirst = next == null ? Math.max(durableEnd, sealed.orElse(first)) : next.firstOffset();
    if (sealed.isEmpty()) {
      findings.add(new Finding(stream, file, first, first, "its seal is missing or damaged"));
    }
    long end = Math.min(sealed.orElse(nextFirst), nextFirst);
    if (sealed.isPresent() && sealed.get() > nextFirst) {
      findings.add(
          new Finding(stream, file, nextFirst, sealed.get(), "the next segment has them too"));
    }
    SegmentScan scan = new SegmentScan(reader, end, reader.size());
    for (SegmentScan.Step step = scan.next(); step != null; step = scan.next()) {
      switch (step) {
        case SegmentScan.Sound(Frame frame) -> count(frame);
        case SegmentScan.Damaged(long from, long to) ->
            findings.add(new Finding(stream, file, from, to, "no sound record is there"));
      }
    }
    missing(stream, Math.max(end, retainedFrom), nextFirst, MISSING);
  }

  private void count(Frame frame) {
    records++;
    bytes += frame.end() - frame.position();
  }

  /// The end of an open segment may be torn, and a hub may write it at this moment: only records
  /// that had been synced can be damaged, as later ones tell.
  private void openSegment(String stream, SegmentReader reader, long durableEnd)
      throws IOException {
    long first = reader.name().firstOffset();
    long size = reader.size();
    long maxEnd = first + 1 + size / RecordFormat.HEADER_BYTES;
    long synced = Math.max(first, durableEnd);
    SegmentScan scan = new SegmentScan(reader, maxEnd, size);
    List<SegmentScan.Damaged> holes = new ArrayList<>();
    List<SegmentIndex.Entry> starts = new ArrayList<>();
    SegmentIndex.Entry at = new SegmentIndex.Entry(first, RecordFormat.SEGMENT_HEADER_BYTES);
    for (SegmentScan.Step step = scan.next(); step != null; step = scan.next()) {
      switch (step) {
        case SegmentScan.Sound(Frame frame) -> {
          count(frame);
          synced = Math.max(synced, frame.stable());
        }
        case SegmentScan.Damaged hole -> {
          holes.add(hole);
          starts.add(at);
        }
      }
      at = new SegmentIndex.Entry(scan.expected(), scan.position());
    }
    for (int i = 0; i < holes.size(); i++) {
      long from = holes.get(i).from();
      long to = Math.min(holes.get(i).end(), synced);
      reader.refresh();
      boolean stillThere =
          new SegmentScan(reader, starts.get(i), maxEnd, size).next()
              instanceof SegmentScan.Damaged;
      if (from < to && stillThere) {
        findings.add(
            new Finding(
                stream,
                reader.name() + SegmentName.LOG,
                from,
                to,
                "no sound record is there, although they were synced"));
      }
    }
  }
}
