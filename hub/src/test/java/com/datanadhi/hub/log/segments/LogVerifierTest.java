package com.datanadhi.hub.log.segments;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.MemoryDirectory;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.log.SegmentInfo;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LogVerifierTest {
  private static final String EVENTS = "events-0";

  @TempDir(factory = MemoryDirectory.class)
  @SuppressWarnings("NullAway.Init")
  Path directory;

  private SegmentLog open() throws IOException {
    return SegmentLog.open(
        directory,
        new SegmentSettings(16 * 1024, 16 * 1024, Duration.ofMinutes(10), 1 << 20),
        Clock.system());
  }

  private static void append(SegmentLog log, int count) throws InterruptedException {
    Append append =
        log.append(
            EVENTS, Collections.nCopies(count, new NewEntry(1, 2, new byte[71])), Durability.FSYNC);
    assertThat(append).isInstanceOf(Append.Accepted.class);
    assertThat(((Append.Accepted) append).await()).isInstanceOf(Append.Stored.class);
  }

  private static void flip(Path file, int position) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[position] ^= 4;
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    Files.write(file, bytes);
  }

  private Path file(SegmentInfo segment) {
    return new SegmentName(segment.epoch(), segment.firstOffset())
        .in(directory.resolve(EVENTS), SegmentName.LOG);
  }

  @Test
  void a_sound_log_has_no_findings_and_all_records_are_counted() throws Exception {
    try (SegmentLog log = open()) {
      append(log, 1000);
      log.rotate(EVENTS);
      append(log, 10);
      LogVerifier.Report open = LogVerifier.verify(directory);
      assertThat(open.findings()).isEmpty();
      assertThat(open.records()).isEqualTo(1010);
      assertThat(open.bytes()).isEqualTo(101_000);
    }
    LogVerifier.Report closed = LogVerifier.verify(directory);
    assertThat(closed.isSound()).isTrue();
    assertThat(closed.records()).isEqualTo(1010);
    assertThat(closed.bytes()).isEqualTo(101_000);
  }

  @Test
  void each_damage_is_named_with_its_offsets() throws Exception {
    List<SegmentInfo> segments;
    try (SegmentLog log = open()) {
      append(log, 2000);
      log.rotate(EVENTS);
      segments = log.segments(EVENTS);
    }
    long first = segments.get(0).firstOffset();
    flip(file(segments.get(0)), RecordFormat.SEGMENT_HEADER_BYTES + 3 * 100 + 50);
    flip(file(segments.get(1)), (int) Files.size(file(segments.get(1))) - 3);
    flip(file(segments.get(2)), 10);
    Files.delete(file(segments.get(4)));

    LogVerifier.Report report = LogVerifier.verify(directory);

    assertThat(report.findings())
        .extracting(finding -> finding.toString().replaceAll("[0-9a-f-]{36}-[0-9]{20}", "S"))
        .containsExactly(
            "events-0/S.log: records 3 to 3: no sound record is there",
            "events-0/S.log: its seal is missing or damaged",
            "events-0/S.log: its header is damaged",
            "events-0: records "
                + segments.get(4).firstOffset()
                + " to "
                + (segments.get(4).endOffset() - 1)
                + ": the segment is missing");
    assertThat(first).isZero();
  }

  @Test
  void segments_that_are_missing_at_the_start_are_named_also_while_the_hub_runs() throws Exception {
    try (SegmentLog log = open()) {
      append(log, 1000);
      List<SegmentInfo> segments = log.segments(EVENTS);
      Files.delete(file(segments.get(0)));
      assertMissing(0, segments.get(1).firstOffset());
      Files.delete(file(segments.get(1)));
      assertMissing(0, segments.get(2).firstOffset());
    }
    try (SegmentLog log = open()) {
      assertMissing(0, log.segments(EVENTS).getFirst().firstOffset());
    }
    try (var files = Files.list(directory.resolve(EVENTS))) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    assertMissing(0, 1000);
    Files.delete(directory.resolve(EVENTS));
    assertThat(LogVerifier.verify(directory).findings())
        .containsExactly(new LogVerifier.Finding(EVENTS, "", 0, 1000, "the directory is missing"));
  }

  private void assertMissing(long first, long end) throws IOException {
    assertThat(LogVerifier.verify(directory).findings())
        .containsExactly(new LogVerifier.Finding(EVENTS, "", first, end, "the segment is missing"));
  }

  @Test
  void damage_that_a_running_hub_finds_counts_as_damaged() throws Exception {
    try (SegmentLog log = open()) {
      append(log, 1000);
      log.rotate(EVENTS);
      assertThat(log.verify().isSound()).isTrue();
      assertThat(log.stats().damagedSegments()).isZero();
      flip(file(log.segments(EVENTS).get(1)), RecordFormat.SEGMENT_HEADER_BYTES + 3 * 100 + 50);
      assertThat(log.verify().isSound()).isFalse();
      assertThat(log.stats().damagedSegments()).isEqualTo(1);
    }
  }

  @Test
  void a_synced_record_of_the_open_segment_that_is_damaged_is_named() throws Exception {
    try (SegmentLog log = open()) {
      append(log, 5);
      append(log, 5);
      SegmentInfo open = log.segments(EVENTS).getFirst();
      flip(file(open), RecordFormat.SEGMENT_HEADER_BYTES + 3 * 100 + 50);
      assertThat(LogVerifier.verify(directory).findings())
          .extracting(LogVerifier.Finding::firstOffset, LogVerifier.Finding::endOffset)
          .containsExactly(org.assertj.core.api.Assertions.tuple(3L, 4L));
      flip(file(open), RecordFormat.SEGMENT_HEADER_BYTES + 3 * 100 + 50);
    }
  }

  @Test
  void a_log_that_is_written_and_deleted_meanwhile_has_no_findings() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    try (SegmentLog log = open();
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> writers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        writers.add(
            executor.submit(() -> {
              while (!done.get()) {
                append(log, 7);
                List<SegmentInfo> segments = log.segments(EVENTS);
                if (segments.size() > 8) {
                  deleteQuietly(log, segments.getFirst());
                }
              }
              return null;
            }));
      }
      try {
        for (int round = 0; round < 50; round++) {
          assertThat(LogVerifier.verify(directory).findings()).isEmpty();
        }
      } finally {
        done.set(true);
      }
      for (Future<?> writer : writers) {
        Object _ = writer.get();
      }
    }
  }

  @Test
  void a_log_of_many_segments_to_which_others_are_added_has_no_findings(@TempDir Path onDisk)
      throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    Path stream = Files.createDirectories(onDisk.resolve(EVENTS));
    for (int file = 0; file < 5000; file++) {
      Files.createFile(stream.resolve("file-" + file));
    }
    try (SegmentLog log =
            SegmentLog.open(
                onDisk,
                new SegmentSettings(1024, 1024, Duration.ofMinutes(10), 1 << 20),
                Clock.system());
        ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> writer =
          executor.submit(() -> {
            while (!done.get()) {
              append(log, 50);
            }
            return null;
          });
      try {
        for (int round = 0; round < 30; round++) {
          assertThat(LogVerifier.verify(onDisk).findings()).isEmpty();
        }
      } finally {
        done.set(true);
      }
      Object _ = writer.get();
    }
  }

  private static void deleteQuietly(SegmentLog log, SegmentInfo segment) {
    try {
      log.deleteSegment(EVENTS, segment.firstOffset());
    } catch (IOException another) {
      assertThat(another).hasStackTraceContaining("no sealed segment");
    }
  }
}
