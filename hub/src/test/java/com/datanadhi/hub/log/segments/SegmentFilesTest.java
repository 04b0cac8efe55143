package com.datanadhi.hub.log.segments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.ManualClock;
import com.datanadhi.hub.log.MemoryDirectory;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.log.SegmentInfo;
import com.datanadhi.testkit.SmallDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What only files have: recovery, damage, rotation by size and age, and their bytes.
final class SegmentFilesTest {
  private static final String EVENTS = "events-0";
  private static final SegmentSettings SETTINGS =
      new SegmentSettings(16 * 1024, 16 * 1024, Duration.ofMinutes(10), 1 << 20);

  @TempDir(factory = MemoryDirectory.class)
  @SuppressWarnings("NullAway.Init")
  Path home;

  private final ManualClock clock = new ManualClock();
  private int copies;

  private SegmentLog open(Path directory) throws IOException {
    return SegmentLog.open(directory, SETTINGS, clock);
  }

  private static void append(Log log, String text) throws InterruptedException {
    append(log, text, Durability.FSYNC);
  }

  private static void append(Log log, String text, Durability durability)
      throws InterruptedException {
    Append append =
        log.append(
            EVENTS, List.of(new NewEntry(1, 9, text.getBytes(StandardCharsets.UTF_8))), durability);
    assertThat(append).isInstanceOf(Append.Accepted.class);
    assertThat(((Append.Accepted) append).await()).isInstanceOf(Append.Stored.class);
  }

  private static List<String> texts(Log log, long from) throws Exception {
    return log.read(EVENTS, from, 10_000, 1 << 20).stream()
        .map(entry -> new String(entry.payload(), StandardCharsets.UTF_8))
        .toList();
  }

  private static List<String> numbers(int from, int to) {
    List<String> texts = new ArrayList<>();
    for (int i = from; i < to; i++) {
      texts.add("record " + i);
    }
    return texts;
  }

  /// The files as they are now: what a killed process leaves.
  private Path copy(Path directory) throws IOException {
    Path target = home.resolve("copy-" + copies++);
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.toList()) {
        Path to = target.resolve(directory.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(to);
        } else if (!file.toString().endsWith(".new")) {
          Files.copy(file, to, StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
    return target;
  }

  private static List<Path> files(Path directory, String ending) throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve(EVENTS))) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }

  private static Path file(Path directory, int number) throws IOException {
    return files(directory, ".log").get(number);
  }

  private static void write(Path file, byte[] bytes) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    Files.write(file, bytes);
  }

  private static void flip(Path file, int position, int bit) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[position] ^= (byte) (1 << bit);
    write(file, bytes);
  }

  private static DamagedException damage(Log log, long from) {
    DamagedException damaged =
        catchThrowableOfType(DamagedException.class, () -> log.read(EVENTS, from, 10_000, 1 << 20));
    assertThat(damaged).isNotNull();
    return damaged;
  }

  private static void assertDamaged(Log log, long from, long first, long end) {
    DamagedException damaged = damage(log, from);
    assertThat(List.of(damaged.firstOffset(), damaged.endOffset())).isEqualTo(List.of(first, end));
  }

  /// A log of `records` records, each with a sync of its own, as a killed process leaves it.
  private Path killedLog(int records) throws Exception {
    Path directory = home.resolve("original-" + copies++);
    try (SegmentLog log = open(directory)) {
      for (String text : numbers(0, records)) {
        append(log, text);
      }
      return copy(directory);
    }
  }

  private static int recordBytes(int number) {
    return RecordFormat.HEADER_BYTES + ("record " + number).length();
  }

  @Test
  void a_torn_end_is_cut_at_each_byte_of_the_last_record() throws Exception {
    Path killed = killedLog(4);
    int start = RecordFormat.SEGMENT_HEADER_BYTES + 3 * recordBytes(0);
    for (int kept = 0; kept < recordBytes(3); kept++) {
      for (boolean zeroed : new boolean[] {false, true}) {
        Path torn = copy(killed);
        byte[] bytes = Files.readAllBytes(file(torn, 0));
        byte[] cut = Arrays.copyOf(bytes, start + kept);
        write(file(torn, 0), zeroed ? Arrays.copyOf(cut, bytes.length) : cut);
        try (SegmentLog log = open(torn)) {
          assertThat(texts(log, 0)).as("%d bytes kept", kept).isEqualTo(numbers(0, 3));
          assertThat(log.end(EVENTS)).isEqualTo(3);
          append(log, "new");
        }
        try (SegmentLog log = open(torn)) {
          assertThat(texts(log, 2)).containsExactly("record 2", "new");
        }
      }
    }
  }

  @Test
  void what_stood_behind_a_torn_end_does_not_come_back() throws Exception {
    Path directory = home.resolve("log");
    Path killed;
    try (SegmentLog log = open(directory)) {
      append(log, "record 0");
      List<Append> unsynced = new ArrayList<>();
      for (String text : numbers(1, 4)) {
        unsynced.add(
            log.append(
                EVENTS,
                List.of(new NewEntry(1, 9, text.getBytes(StandardCharsets.UTF_8))),
                Durability.WAL));
      }
      for (Append one : unsynced) {
        Append.Outcome _ = ((Append.Accepted) one).await();
      }
      // Of the records that were not synced the first is lost: the others stand behind a torn end.
      killed = copy(directory);
    }
    int second = RecordFormat.SEGMENT_HEADER_BYTES + recordBytes(0);
    flip(file(killed, 0), second + 3, 1);
    UUID before;
    try (SegmentLog log = open(killed)) {
      before = log.epoch();
      assertThat(texts(log, 0)).isEqualTo(numbers(0, 1));
      append(log, "another");
    }
    try (SegmentLog log = open(killed)) {
      assertThat(log.epoch()).isEqualTo(before);
      assertThat(texts(log, 0)).containsExactly("record 0", "another");
    }
  }

  @Test
  void a_flipped_bit_in_the_open_segment_is_damage_if_the_record_had_been_synced()
      throws Exception {
    Path killed = killedLog(6);
    int records = RecordFormat.SEGMENT_HEADER_BYTES;
    int end = records + 6 * recordBytes(0);
    long seed = System.nanoTime();
    System.err.println("seed " + seed);
    Random random = new Random(seed);
    for (int position = 0; position < end; position++) {
      Path flipped = copy(killed);
      flip(file(flipped, 0), position, random.nextInt(8));
      int hit = position < records ? -1 : (position - records) / recordBytes(0);
      for (int opened = 0; opened < 2; opened++) {
        try (SegmentLog log = open(flipped)) {
          if (hit < 0) {
            assertThat(texts(log, 0)).isEqualTo(numbers(0, 6));
          } else if (hit == 5) {
            // Nothing shows that the last one was synced.
            assertThat(texts(log, 0)).isEqualTo(numbers(0, 5));
            assertThat(log.end(EVENTS)).isEqualTo(5);
          } else {
            if (hit > 0) {
              assertThat(texts(log, 0)).isEqualTo(numbers(0, hit));
            }
            assertDamaged(log, hit, hit, hit + 1);
            assertThat(texts(log, hit + 1)).isEqualTo(numbers(hit + 1, 6));
            assertThat(log.end(EVENTS)).isEqualTo(6);
            assertThat(log.stats().damagedSegments()).isEqualTo(1);
          }
        }
      }
    }
  }

  private Path sealedLog(int records) throws Exception {
    Path directory = home.resolve("original-" + copies++);
    try (SegmentLog log = open(directory)) {
      for (String text : numbers(0, records)) {
        append(log, text, Durability.WAL);
      }
    }
    return directory;
  }

  @Test
  void a_flipped_bit_in_a_sealed_segment_names_the_record_and_hides_no_other() throws Exception {
    Path sealed = sealedLog(6);
    int records = RecordFormat.SEGMENT_HEADER_BYTES;
    int size = (int) Files.size(file(sealed, 0));
    for (int position = 0; position < size; position++) {
      Path flipped = copy(sealed);
      flip(file(flipped, 0), position, position % 8);
      int hit =
          position < records || position >= size - RecordFormat.HEADER_BYTES
              ? -1
              : (position - records) / recordBytes(0);
      try (SegmentLog log = open(flipped)) {
        if (hit < 0) {
          assertThat(texts(log, 0)).isEqualTo(numbers(0, 6));
        } else {
          assertDamaged(log, hit, hit, hit + 1);
          assertThat(log.read(EVENTS, 0, 99, 999)).hasSize(hit == 0 ? 1 : hit);
        }
        assertThat(log.end(EVENTS)).isEqualTo(6);
        append(log, "next");
        assertThat(texts(log, 6)).containsExactly("next");
      } catch (DamagedException first) {
        assertThat(hit).isZero();
      }
    }
  }

  @Test
  void zeroed_pages_name_exactly_the_records_in_them() throws Exception {
    Path directory = sealedLog(2000);
    TreeMap<Long, Long> ends = new TreeMap<>();
    Path second = file(directory, 1);
    SegmentName name =
        SegmentName.parse(second.getFileName().toString(), SegmentName.LOG).orElseThrow();
    try (SegmentReader reader = new SegmentReader(second, name)) {
      SegmentScan scan = new SegmentScan(reader, Long.MAX_VALUE, reader.size());
      while (scan.next() instanceof SegmentScan.Sound(SegmentReader.Frame frame)) {
        ends.put(frame.offset(), frame.end());
      }
    }
    byte[] bytes = Files.readAllBytes(second);
    Arrays.fill(bytes, 4096, 8192, (byte) 0);
    write(second, bytes);
    long first =
        ends.entrySet().stream()
            .filter(e -> e.getValue() > 4096)
            .findFirst()
            .orElseThrow()
            .getKey();
    long end =
        ends.entrySet().stream()
                .filter(e -> e.getValue() >= 8192)
                .findFirst()
                .orElseThrow()
                .getKey()
            + 1;
    for (boolean withIndex : new boolean[] {true, false}) {
      if (!withIndex) {
        Files.delete(files(directory, ".idx").get(1));
      }
      try (SegmentLog log = open(directory)) {
        assertDamaged(log, first, first, end);
        assertDamaged(log, first + 3, first + 3, end);
        assertThat(log.read(EVENTS, end, 1, 99).getFirst().offset()).isEqualTo(end);
        assertThat(log.read(EVENTS, 0, 10_000, 1 << 20)).hasSize((int) first);
      }
    }
  }

  @Test
  void a_length_that_is_wrong_allocates_no_more_than_a_record() throws Exception {
    Path sealed = sealedLog(3);
    byte[] bytes = Files.readAllBytes(file(sealed, 0));
    for (int length : new int[] {Integer.MAX_VALUE, -1, Log.MAX_PAYLOAD, Log.MAX_PAYLOAD + 1}) {
      java.nio.ByteBuffer.wrap(bytes).putInt(RecordFormat.SEGMENT_HEADER_BYTES, length);
      write(file(sealed, 0), bytes);
      try (SegmentLog log = open(sealed)) {
        assertDamaged(log, 0, 0, 1);
      }
    }
  }

  @Test
  void an_index_that_is_missing_or_wrong_is_built_again() throws Exception {
    Path directory = sealedLog(2000);
    List<Path> indexes = files(directory, ".idx");
    assertThat(indexes).hasSizeGreaterThan(3);
    Files.delete(indexes.get(0));
    Files.write(indexes.get(1), new byte[100]);
    Files.copy(indexes.get(3), indexes.get(2), StandardCopyOption.REPLACE_EXISTING);
    try (SegmentLog log = open(directory)) {
      for (int from = 1999; from >= 0; from -= 13) {
        assertThat(texts(log, from).getFirst()).isEqualTo("record " + from);
      }
    }
    assertThat(files(directory, ".idx")).isEqualTo(indexes);
  }

  @Test
  void a_missing_segment_is_damage_and_the_others_are_read() throws Exception {
    Path directory = sealedLog(2000);
    List<SegmentInfo> segments;
    try (SegmentLog log = open(directory)) {
      segments = log.segments(EVENTS);
    }
    Files.delete(file(directory, 1));
    Files.delete(files(directory, ".log").getLast());
    long first = segments.get(1).firstOffset();
    long last = segments.getLast().firstOffset();
    try (SegmentLog log = open(directory)) {
      assertDamaged(log, first, first, segments.get(1).endOffset());
      assertThat(texts(log, segments.get(2).firstOffset())).isNotEmpty();
      assertDamaged(log, last, last, 2000);
      assertThat(log.end(EVENTS)).isEqualTo(2000);
      append(log, "next");
      assertThat(texts(log, 2000)).containsExactly("next");
    }
  }

  @Test
  void segments_that_are_missing_at_the_start_are_damage() throws Exception {
    for (int missing = 1; missing < 4; missing++) {
      Path directory = sealedLog(2000);
      List<SegmentInfo> segments;
      try (SegmentLog log = open(directory)) {
        segments = log.segments(EVENTS);
      }
      for (int i = 0; i < missing; i++) {
        Files.delete(file(directory, 0));
      }
      long end = segments.get(missing).firstOffset();
      for (int opened = 0; opened < 2; opened++) {
        try (SegmentLog log = open(directory)) {
          assertThat(log.start(EVENTS)).isZero();
          assertDamaged(log, 0, 0, end);
          assertDamaged(log, 5, 5, end);
          assertThat(texts(log, end).getFirst()).isEqualTo("record " + end);
          assertThat(log.stats().damagedSegments()).isEqualTo(1);
        }
      }
    }
  }

  @Test
  void a_stream_of_which_nothing_is_left_is_damage_and_its_offsets_are_not_used_again()
      throws Exception {
    for (boolean isDirectoryGone : new boolean[] {false, true}) {
      Path directory = sealedLog(1000);
      for (Path file : files(directory, "")) {
        Files.delete(file);
      }
      if (isDirectoryGone) {
        Files.delete(directory.resolve(EVENTS));
      }
      try (SegmentLog log = open(directory)) {
        assertDamaged(log, 0, 0, 1000);
        append(log, "next");
        assertThat(texts(log, 1000)).containsExactly("next");
      }
    }
  }

  @Test
  void what_retention_deletes_is_not_missing_whatever_a_crash_leaves() throws Exception {
    Path directory = sealedLog(3000);
    List<Path> crashes = new ArrayList<>();
    List<SegmentInfo> segments;
    try (SegmentLog log = open(directory)) {
      segments = log.segments(EVENTS);
      log.deleteSegment(EVENTS, segments.get(2).firstOffset());
      log.deleteSegment(EVENTS, segments.get(0).firstOffset());
      Path oldest = file(directory, 0);
      byte[] bytes = Files.readAllBytes(oldest);
      log.deleteSegment(EVENTS, segments.get(1).firstOffset());
      crashes.add(copy(directory));
      // The state file has it, the directory not yet.
      Path early = copy(directory);
      Files.write(early.resolve(EVENTS).resolve(oldest.getFileName()), bytes);
      Files.write(
          early.resolve(EVENTS).resolve(segmentName(segments.get(2)) + SegmentName.DELETED),
          new byte[0]);
      crashes.add(early);
    }
    crashes.add(directory);
    long start = segments.get(3).firstOffset();
    for (Path crash : crashes) {
      assertThat(LogVerifier.verify(crash).findings()).isEmpty();
      try (SegmentLog log = open(crash)) {
        assertThat(log.stats().damagedSegments()).isZero();
        SegmentInfo first = log.segments(EVENTS).getFirst();
        if (first.firstOffset() < start) {
          log.deleteSegment(EVENTS, first.firstOffset());
        }
        assertThat(log.start(EVENTS)).isEqualTo(start);
        assertThat(texts(log, start).getFirst()).isEqualTo("record " + start);
      }
      Files.delete(file(crash, 0));
      try (SegmentLog log = open(crash)) {
        assertDamaged(log, start, start, segments.get(4).firstOffset());
      }
    }
  }

  @Test
  void what_is_missing_at_the_start_is_forgotten_with_the_segment_behind_it() throws Exception {
    Path directory = sealedLog(2000);
    try (SegmentLog log = open(directory)) {
      log.deleteSegment(EVENTS, log.segments(EVENTS).get(1).firstOffset());
    }
    Files.delete(file(directory, 0));
    try (SegmentLog log = open(directory)) {
      List<SegmentInfo> segments = log.segments(EVENTS);
      assertThat(log.start(EVENTS)).isZero();
      log.deleteSegment(EVENTS, segments.get(1).firstOffset());
      log.deleteSegment(EVENTS, segments.get(0).firstOffset());
      assertThat(log.start(EVENTS)).isEqualTo(segments.get(2).firstOffset());
      assertThat(log.stats().damagedSegments()).isZero();
    }
    assertThat(LogVerifier.verify(directory).findings()).isEmpty();
    assertThat(files(directory, ".deleted")).isEmpty();
  }

  @Test
  void a_state_file_of_an_earlier_version_tells_no_start() throws Exception {
    Path directory = sealedLog(1000);
    StateFile now = Objects.requireNonNull(StateFile.read(directory));
    new StateFile(now.epoch(), now.closed(), now.weak(), now.ends(), null).write(directory);
    Files.delete(file(directory, 0));
    assertThat(LogVerifier.verify(directory).findings()).isEmpty();
    long start;
    try (SegmentLog log = open(directory)) {
      start = log.start(EVENTS);
      assertThat(start).isPositive();
    }
    Files.delete(file(directory, 0));
    try (SegmentLog log = open(directory)) {
      assertThat(log.start(EVENTS)).isEqualTo(start);
      assertThat(damage(log, start).firstOffset()).isEqualTo(start);
    }
  }

  private static SegmentName segmentName(SegmentInfo segment) {
    return new SegmentName(segment.epoch(), segment.firstOffset());
  }

  @Test
  void a_segment_that_leaves_from_the_middle_keeps_its_offsets() throws Exception {
    Path directory = sealedLog(3000);
    List<SegmentInfo> segments = List.of();
    for (int opened = 0; opened < 2; opened++) {
      try (SegmentLog log = open(directory)) {
        if (opened == 0) {
          segments = log.segments(EVENTS);
          log.setAsideSegment(EVENTS, segments.get(1).firstOffset());
          log.deleteSegment(EVENTS, segments.get(3).firstOffset());
          log.deleteSegment(EVENTS, segments.getLast().firstOffset());
        }
        for (SegmentInfo gone : List.of(segments.get(1), segments.get(3), segments.getLast())) {
          assertDamaged(log, gone.firstOffset(), gone.firstOffset(), gone.endOffset());
        }
        assertThat(texts(log, segments.get(2).firstOffset()).getFirst())
            .isEqualTo("record " + segments.get(2).firstOffset());
        assertThat(log.end(EVENTS)).isEqualTo(3000);
      }
    }
    assertThat(files(directory, ".damaged")).hasSize(1);
    assertThat(files(directory, ".deleted")).hasSize(3);
  }

  @Test
  void a_damaged_segment_is_kept_beside_the_log_when_it_leaves_it() throws Exception {
    Path directory = sealedLog(3000);
    Path file = file(directory, 0);
    flip(file, RecordFormat.SEGMENT_HEADER_BYTES + 30, 1);
    byte[] damaged = Files.readAllBytes(file);
    long start;
    try (SegmentLog log = open(directory)) {
      assertDamaged(log, 0, 0, 1);
      start = log.segments(EVENTS).get(2).firstOffset();
      log.deleteSegment(EVENTS, 0);
      log.deleteSegment(EVENTS, log.segments(EVENTS).getFirst().firstOffset());
      assertThat(log.start(EVENTS)).isEqualTo(start);
      assertThat(log.stats().damagedSegments()).isZero();
    }
    List<Path> kept = files(directory, ".damaged");
    assertThat(kept).hasSize(1);
    assertThat(kept.getFirst()).hasBinaryContent(damaged);
    assertThat(LogVerifier.verify(directory).findings()).isEmpty();
    try (SegmentLog log = open(directory)) {
      assertThat(log.start(EVENTS)).isEqualTo(start);
      assertThat(log.stats().damagedSegments()).isZero();
      assertThat(texts(log, start).getFirst()).isEqualTo("record " + start);
    }
    assertThat(files(directory, ".damaged")).isEqualTo(kept);
  }

  @Test
  void offsets_are_not_used_again_after_all_segments_were_deleted_and_a_kill() throws Exception {
    Path directory = home.resolve("log");
    try (SegmentLog log = open(directory)) {
      append(log, "a");
      log.rotate(EVENTS);
      log.deleteSegment(EVENTS, 0);
      Path killed = copy(directory);
      try (SegmentLog again = open(killed)) {
        assertThat(again.end(EVENTS)).isEqualTo(1);
        assertThat(again.start(EVENTS)).isEqualTo(1);
      }
    }
  }

  @Test
  void a_sealed_file_is_read_only_and_is_not_written_again() throws Exception {
    Path directory = sealedLog(2000);
    Map<String, byte[]> before = new TreeMap<>();
    for (Path file : files(directory, ".log")) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("r--------");
      before.put(file.toString(), Files.readAllBytes(file));
    }
    try (SegmentLog log = open(directory)) {
      append(log, "more");
      assertThat(texts(log, 0)).hasSize(2001);
    }
    before.forEach((file, bytes) -> {
      try {
        assertThat(Files.readAllBytes(Path.of(file))).isEqualTo(bytes);
      } catch (IOException gone) {
        throw new UncheckedIOException(gone);
      }
    });
  }

  @Test
  void a_segment_is_sealed_by_size_and_by_age_but_not_without_records() throws Exception {
    Path directory = home.resolve("log");
    try (SegmentLog log = open(directory)) {
      clock.advance(Duration.ofHours(1));
      append(log, "a");
      clock.advance(Duration.ofMinutes(9));
      append(log, "b");
      assertThat(log.segments(EVENTS)).hasSize(1);
      assertThat(log.segments(EVENTS).getFirst().isSealed()).isFalse();
      clock.advance(Duration.ofMinutes(1));
      await().until(() -> log.segments(EVENTS).getFirst().isSealed());
      assertThat(log.segments(EVENTS)).hasSize(1);
      for (int i = 0; i < 40; i++) {
        append(log, "x".repeat(1000));
      }
      assertThat(log.segments(EVENTS)).hasSize(4);
      for (Path file : files(directory, ".log")) {
        assertThat(Files.size(file)).isLessThanOrEqualTo(SETTINGS.segmentBytes());
      }
    }
  }

  @Test
  void a_log_that_was_killed_begins_a_new_epoch_only_if_a_weak_level_was_in_force()
      throws Exception {
    for (Durability durability : Durability.values()) {
      Path directory = home.resolve(durability.text());
      UUID epoch;
      Path killed;
      try (SegmentLog log = open(directory)) {
        epoch = log.epoch();
        append(log, "a");
        append(log, "b", durability);
        assertThat(log.awaitStable(EVENTS, 1, Duration.ofSeconds(5))).isTrue();
        killed = copy(directory);
      }
      try (SegmentLog log = open(directory)) {
        assertThat(log.epoch()).isEqualTo(epoch);
      }
      UUID next;
      try (SegmentLog log = open(killed)) {
        next = log.epoch();
        assertThat(next.equals(epoch)).isEqualTo(durability == Durability.FSYNC);
        append(log, "c");
        assertThat(log.read(EVENTS, 0, 9, 99))
            .extracting(LogEntry::epoch)
            .containsExactly(epoch, epoch, next);
      }
      try (SegmentLog log = open(killed)) {
        assertThat(log.epoch()).isEqualTo(next);
      }
    }
  }

  @Test
  void memory_pressure_seals_the_open_segments() throws Exception {
    try (SegmentLog log = open(home.resolve("log"))) {
      append(log, "a");
      log.releaseMemory();
      assertThat(log.segments(EVENTS).getFirst().isSealed()).isTrue();
      assertThat(texts(log, 0)).containsExactly("a");
    }
  }

  @Test
  void a_full_disk_refuses_appends_until_there_is_room_again() throws Exception {
    try (SmallDisk disk = SmallDisk.mountOrSkip(home.resolve("disk"), "1m")) {
      try (SegmentLog log = open(home.resolve("disk/log"))) {
        append(log, "record 0");
        await().until(() -> Files.exists(home.resolve("disk/log/events-0/next.new")));
        Path filling = disk.fill();
        int stored = 1;
        Append append = null;
        while (!(append instanceof Append.Refused)) {
          append =
              log.append(
                  EVENTS,
                  List.of(
                      new NewEntry(1, 9, ("record " + stored).getBytes(StandardCharsets.UTF_8))),
                  Durability.FSYNC);
          if (append instanceof Append.Accepted accepted
              && accepted.await() instanceof Append.Stored(long offset)) {
            assertThat(offset).isEqualTo(stored++);
          }
        }
        assertThat(((Append.Refused) append).cause()).isEqualTo(Append.Cause.UNWRITABLE);
        assertThat(stored).isGreaterThan(400);
        assertThat(texts(log, 0)).isEqualTo(numbers(0, stored));
        assertThat(log.end(EVENTS)).isEqualTo(stored);
        Files.delete(filling);
        int next = stored;
        await()
            .until(() ->
                log.append(
                        EVENTS,
                        List.of(
                            new NewEntry(
                                1, 9, ("record " + next).getBytes(StandardCharsets.UTF_8))),
                        Durability.FSYNC)
                    instanceof Append.Accepted);
        append(log, "record " + (stored + 1));
        assertThat(texts(log, 0)).isEqualTo(numbers(0, stored + 2));
      }
    }
  }

  @Test
  void the_bytes_of_a_segment_and_its_index_are_those_of_the_golden_file() throws Exception {
    UUID epoch = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");
    Path directory = Files.createDirectories(home.resolve("log"));
    new StateFile(epoch, true, false, Map.of(), null).write(directory);
    try (SegmentLog log = open(directory)) {
      append(log, "first");
      append(log, "{\"pipelines\":[],\"log_data\":1}", Durability.WAL);
      assertThat(log.awaitStable(EVENTS, 1, Duration.ofSeconds(5))).isTrue();
      append(log, "");
    }
    StringBuilder text = new StringBuilder();
    for (Path file : List.of(file(directory, 0), files(directory, ".idx").getFirst())) {
      text.append(file.getFileName()).append('\n');
      byte[] bytes = Files.readAllBytes(file);
      for (int from = 0; from < bytes.length; from += 16) {
        text.append(
            HexFormat.ofDelimiter(" ").formatHex(bytes, from, Math.min(from + 16, bytes.length)));
        text.append('\n');
      }
    }
    text.append(Files.readString(directory.resolve("state")));
    try (var golden = SegmentFilesTest.class.getResourceAsStream("segment.golden")) {
      assertThat(golden).isNotNull();
      assertThat(text.toString())
          .isEqualTo(new String(golden.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  @Test
  void settings_out_of_range_are_refused() {
    assertThatThrownBy(() -> new SegmentSettings(1, 1, Duration.ofSeconds(1), 1))
        .hasMessageContaining("segmentBytes");
    assertThatThrownBy(() -> new SegmentSettings(4096, 4096, Duration.ZERO, 1))
        .hasMessageContaining("segmentAge");
    assertThatThrownBy(() -> new SegmentSettings(4096, 4096, Duration.ofSeconds(1), 0))
        .hasMessageContaining("waitingBytesBound");
  }
}
