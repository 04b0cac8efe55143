package com.datanadhi.echopost.buffer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.salvage.SalvageReport;
import com.datanadhi.echopost.time.ManualClock;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A buffer that is damaged goes on, and gives back what was sound.
class SalvageTest {
  private static final long EPOCH = 1L << 40;
  private static final int RECORDS = 500;

  @TempDir Path directory;
  private final AtomicInteger replacements = new AtomicInteger();
  private final ManualClock clock = new ManualClock();
  private Buffer buffer;

  @BeforeEach
  void open() throws Exception {
    buffer =
        Buffer.open(
            directory,
            clock,
            new BufferListener() {
              @Override
              public void stored() {}

              @Override
              public void failed() {}

              @Override
              public void bufferReplaced() {
                int _ = replacements.incrementAndGet();
              }
            });
  }

  @AfterEach
  void close() throws Exception {
    buffer.close();
  }

  private static String payload(int n) {
    return "\"" + Integer.toString(n).repeat(n % 50 == 0 ? 4_000 : 30) + "\"";
  }

  private void fill() {
    Appended.store(
        buffer,
        IntStream.rangeClosed(1, RECORDS).mapToObj(SalvageTest::payload).toArray(String[]::new));
  }

  /// Reads as replay does.
  private List<PendingRecord> read() throws Exception {
    while (true) {
      try {
        buffer.salvage();
        return buffer.read(Integer.MAX_VALUE, Long.MAX_VALUE);
      } catch (StorageException failed) {
        if (!failed.isCorruption() || buffer.failure() != null) {
          throw failed;
        }
      }
    }
  }

  private List<Long> ids() throws Exception {
    return read().stream().map(PendingRecord::id).toList();
  }

  private static List<Long> range(long first, long last) {
    return new ArrayList<>(LongStream.rangeClosed(first, last).boxed().toList());
  }

  private String sql(String query) throws Exception {
    try (Sqlite sqlite = new Sqlite(directory)) {
      return sqlite.query(query);
    }
  }

  private void overwrite(long position, byte[] bytes) throws IOException {
    try (RandomAccessFile file =
        new RandomAccessFile(directory.resolve("buffer.db").toFile(), "rw")) {
      file.seek(position);
      file.write(bytes);
    }
  }

  private void garbageHeader() throws IOException {
    overwrite(0, "no header at all".repeat(6).getBytes(UTF_8));
  }

  private List<Path> aside(String suffix) throws IOException {
    try (var files = Files.list(directory)) {
      return files
          .filter(file -> file.toString().matches(".*\\.damaged-[-0-9TZ]*" + suffix))
          .toList();
    }
  }

  @Test
  void an_unreadable_file_gives_back_all_that_was_pending_before_what_comes_later()
      throws Exception {
    fill();
    buffer.acknowledge(100);
    String bufferId = sql("SELECT buffer_id FROM meta");
    buffer.close();
    garbageHeader();
    open();
    assertThat(buffer.wasDamaged()).isTrue();
    assertThat(buffer.isSalvaging()).isTrue();
    assertThat(buffer.isDrained()).isFalse();
    Appended.store(buffer, "\"newer\"");

    List<PendingRecord> rows = read();

    List<Long> expected = range(101, RECORDS);
    expected.add(EPOCH + 1);
    assertThat(rows).extracting(PendingRecord::id).isEqualTo(expected);
    assertThat(rows).allMatch(PendingRecord::sound);
    for (PendingRecord row : rows) {
      assertThat(row.idempotencyKey()).isEqualTo(bufferId + "-" + row.id());
      assertThat(new String(row.content().jsonData(), UTF_8))
          .isEqualTo(row.id() > EPOCH ? "\"newer\"" : payload((int) row.id()));
    }
    assertThat(buffer.isSalvaging()).isFalse();
    assertThat(aside("")).hasSize(1);
    assertThat(aside("-salvaged")).hasSize(1);
    buffer.acknowledge(300);
    buffer.acknowledge(EPOCH + 1);
    assertThat(buffer.isDrained()).isTrue();
    assertThat(buffer.totals().pending()).isZero();
    buffer.close();
    open();
    assertThat(buffer.wasDamaged()).isFalse();
    Appended.store(buffer, "\"newest\"");
    assertThat(ids()).containsExactly(EPOCH + 2);
  }

  @Test
  void rejected_records_are_put_back_where_they_were() throws Exception {
    fill();
    buffer.acknowledge(10);
    buffer.reject(new Rejection(read().getFirst(), 422, "not that", 3, 99));
    buffer.close();
    garbageHeader();
    open();
    assertThat(ids()).isEqualTo(range(12, RECORDS));
    assertThat(sql("SELECT id||' '||status||' '||response||' '||attempts FROM rejected"))
        .isEqualTo("11 422 not that 3");
    assertThat(buffer.totals().rejected()).isEqualTo(1);
    buffer.close();
    open();
    assertThat(buffer.wasDamaged()).isFalse();
  }

  @Test
  void a_zeroed_page_costs_its_own_records_alone_and_they_are_named() throws Exception {
    fill();
    buffer.close();
    long pages = Files.size(directory.resolve("buffer.db")) / 4096;
    overwrite(pages / 2 * 4096, new byte[4096]);
    open();
    List<Long> ids = ids();
    assertThat(ids).hasSizeBetween(RECORDS - 100, RECORDS).isSorted().doesNotHaveDuplicates();
    if (ids.size() < RECORDS) {
      assertThat(buffer.wasDamaged()).isTrue();
      assertThat(aside("-salvaged").getFirst())
          .content()
          .contains("records gone: " + (RECORDS - ids.size()) + "\ntheir ids: ");
    }
  }

  @Test
  void a_page_that_hides_rows_is_damage_though_sqlite_reads_on() throws Exception {
    fill();
    int leaf =
        Integer.parseInt(
            sql(
                "SELECT pageno FROM dbstat WHERE name='records' AND pagetype='leaf' LIMIT 1 OFFSET"
                    + " 2"));
    buffer.close();
    // The number of cells of a leaf.
    overwrite((leaf - 1L) * 4096 + 3, new byte[] {0, 1});
    open();
    assertThat(ids()).isEqualTo(range(1, RECORDS));
    assertThat(buffer.wasDamaged()).isTrue();
  }

  @Test
  void a_salvage_that_was_cut_short_goes_on_at_the_next_start() throws Exception {
    fill();
    buffer.acknowledge(100);
    buffer.close();
    garbageHeader();
    open();
    Appended.store(buffer, "\"newer\"");
    assertThat(ids()).hasSize(RECORDS - 100 + 1);
    buffer.close();
    // As a kill after some of its commits would have left it.
    try (Sqlite foreign = new Sqlite(directory)) {
      foreign.execute("DELETE FROM records WHERE id BETWEEN 200 AND 300");
      foreign.execute("UPDATE meta SET accepted = accepted - 101");
      foreign.execute("INSERT INTO salvage VALUES ('" + aside("").getFirst() + "', 0)");
    }
    open();
    assertThat(buffer.isSalvaging()).isTrue();
    List<Long> expected = range(101, RECORDS);
    expected.add(EPOCH + 1);
    assertThat(ids()).isEqualTo(expected);
    assertThat(buffer.wasDamaged()).isTrue();
  }

  @Test
  void a_run_that_died_between_the_moves_is_finished_by_the_next() throws Exception {
    fill();
    buffer.close();
    garbageHeader();
    open();
    buffer.close();
    // As if buffer.db.new had not been moved yet.
    Files.move(directory.resolve("buffer.db"), directory.resolve("buffer.db.new"));
    Files.move(
        aside("-watermark").getFirst(),
        directory.resolve("buffer.db-watermark"),
        StandardCopyOption.REPLACE_EXISTING);
    open();
    assertThat(ids()).isEqualTo(range(1, RECORDS));
  }

  /// Every page but the first says of itself what is not true, and each row stands where it stood.
  private void damagePages() throws Exception {
    buffer.reclaimSpace();
    try (Sqlite foreign = new Sqlite(directory)) {
      // Else the writer would go on with the pages that it remembers.
      foreign.execute("PRAGMA user_version=1");
    }
    for (long page = 1; page < Files.size(directory.resolve("buffer.db")) / 4096; page++) {
      overwrite(page * 4096, new byte[] {77, 77, 77, 77, 77, 77, 77, 77});
    }
  }

  @Test
  void a_disk_that_damages_one_buffer_after_another_is_given_up_unless_it_takes_time()
      throws Exception {
    for (int times = 1; times <= 6; times++) {
      damagePages();
      Appended.store(buffer, "1");
      assertThat(replacements).hasValue(times);
      clock.advance(Duration.ofSeconds(21));
    }
    damagePages();
    Appended.store(buffer, "1");
    damagePages();

    Appended last = Appended.to(buffer, Appended.record("1", "", null));

    assertThat(last.outcome()).isInstanceOf(AppendRequest.Outcome.Failed.class);
    assertThat(buffer.failure()).isNotNull();
    assertThat(replacements).hasValue(7);
  }

  @Test
  void a_commit_that_meets_damage_is_done_in_a_new_buffer() throws Exception {
    fill();
    buffer.acknowledge(50);
    damagePages();

    Appended.store(buffer, "\"newer\"");

    assertThat(replacements).hasValue(1);
    assertThat(buffer.failure()).isNull();
    // What the server has said of the old records counts.
    buffer.acknowledge(60);
    List<Long> expected = range(61, RECORDS);
    // Where a chain of pages goes on stands at the beginning of each.
    expected.removeIf(id -> id % 50 == 0);
    expected.add(EPOCH + 1);
    assertThat(ids()).isEqualTo(expected);
    assertThat(buffer.wasDamaged()).isTrue();
  }

  private interface Last {
    void write(BufferWriter writer) throws Exception;
  }

  /// Closes the buffer, lets a writer of its own do `last`, and sets it aside as that one does.
  private void setAsideAfter(Last last) throws Exception {
    buffer.close();
    Path file = directory.resolve("buffer.db");
    long walBound = new Volume(directory).walBound();
    try (Connection connection = Database.openWriter(file, walBound, 50)) {
      BufferWriter writer = new BufferWriter(connection, file);
      last.write(writer);
      Quarantine.replaceBuffer(
          file, walBound, clock, new StorageException.Corrupted("for a test"), writer.totals());
    }
  }

  /// Such a commit is done again in the new buffer: put back too, its records would come twice.
  @Test
  void what_a_commit_that_met_damage_left_in_the_log_is_not_put_back() throws Exception {
    fill();
    setAsideAfter(writer -> {
      writer.begin();
      String large = "\"" + "x".repeat(50_000) + "\"";
      writer.append(Collections.nCopies(40, Appended.record(large, "", null)));
      assertThat(Files.size(DirectoryLayout.wal(directory.resolve("buffer.db"))))
          .as("log of a transaction that SQLite's cache does not hold")
          .isGreaterThan(40_000);
    });
    open();

    Appended.store(buffer, "\"newer\"");

    List<Long> expected = range(1, RECORDS);
    expected.add(EPOCH + 1);
    assertThat(ids()).isEqualTo(expected);
  }

  @Test
  void a_buffer_that_somebody_put_back_gives_back_what_came_since() throws Exception {
    fill();
    setAsideAfter(writer -> {});
    for (String suffix : List.of("", "-wal", "-watermark")) {
      for (Path old : aside(suffix)) {
        Files.move(
            old, directory.resolve("buffer.db" + suffix), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    open();
    Appended.store(buffer, "\"newer\"");
    buffer.close();
    garbageHeader();
    open();

    assertThat(ids()).isEqualTo(range(1, RECORDS + 1));
  }

  @Test
  void a_buffer_that_is_damaged_again_begins_above_all_ids_and_salvages_all() throws Exception {
    fill();
    buffer.acknowledge(100);
    buffer.close();
    for (int times = 1; times <= 2; times++) {
      garbageHeader();
      open();
      Appended.store(buffer, "\"newer\"");
      buffer.close();
    }
    open();
    List<Long> expected = range(101, RECORDS);
    expected.add(EPOCH + 1);
    expected.add(2 * EPOCH + 1);
    assertThat(ids()).isEqualTo(expected);
  }

  @Test
  void without_its_log_a_buffer_is_damaged_and_what_the_log_had_is_named() throws Exception {
    fill();
    Path copy = directory.resolveSibling(directory.getFileName() + "-crashed");
    Files.createDirectories(copy);
    for (String suffix : List.of("", "-watermark")) {
      Files.copy(directory.resolve("buffer.db" + suffix), copy.resolve("buffer.db" + suffix));
    }
    buffer.close();
    directory = copy;
    open();
    assertThat(buffer.wasDamaged()).isTrue();
    int left = ids().size();
    assertThat(aside("-salvaged").getFirst())
        .content()
        .contains("records gone: " + (RECORDS - left));
  }

  /// As where somebody copies a buffer over another, and leaves what is beside it.
  @Test
  void a_buffer_beside_another_ones_watermark_gives_back_all_of_its_own() throws Exception {
    fill();
    buffer.close();
    Path others = directory.resolve("buffer.db-watermark");
    directory = directory.resolveSibling(directory.getFileName() + "-moved");
    Files.createDirectories(directory);
    open();
    Appended.store(buffer, "1", "2", "3");
    buffer.close();
    Files.copy(
        others, directory.resolve("buffer.db-watermark"), StandardCopyOption.REPLACE_EXISTING);
    open();
    assertThat(ids()).containsExactly(1L, 2L, 3L);
  }

  @Test
  void an_empty_file_with_a_log_gives_back_what_the_log_has() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    Path copy = directory.resolveSibling(directory.getFileName() + "-crashed");
    Files.createDirectories(copy);
    for (String suffix : List.of("-wal", "-watermark")) {
      Files.copy(directory.resolve("buffer.db" + suffix), copy.resolve("buffer.db" + suffix));
    }
    buffer.close();
    directory = copy;
    open();
    assertThat(ids()).containsExactly(1L, 2L, 3L);
    assertThat(buffer.wasDamaged()).isTrue();
  }

  /// SQLite calls a page of a long payload behind the end of the file an I/O error, not damage.
  @Test
  void a_file_cut_off_within_a_long_payload_costs_that_record_alone() throws Exception {
    String payload = "\"" + "x".repeat(20_000) + "\"";
    Appended.store(buffer, payload, payload, payload);
    buffer.reclaimSpace();
    Appended.store(buffer, "4");
    Path copy = directory.resolveSibling(directory.getFileName() + "-crashed");
    Files.createDirectories(copy);
    for (String suffix : List.of("", "-wal", "-watermark")) {
      Files.copy(directory.resolve("buffer.db" + suffix), copy.resolve("buffer.db" + suffix));
    }
    try (var file = Files.newByteChannel(copy.resolve("buffer.db"), StandardOpenOption.WRITE)) {
      var _ = file.truncate(file.size() - 2 * 4096);
    }
    buffer.close();
    directory = copy;
    open();
    assertThat(ids()).containsExactly(1L, 2L, 4L);
    assertThat(buffer.wasDamaged()).isTrue();
  }

  @Test
  void a_log_with_a_garbage_header_gives_back_all_that_is_only_there() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    Path copy = directory.resolveSibling(directory.getFileName() + "-crashed");
    Files.createDirectories(copy);
    for (String suffix : List.of("", "-wal", "-watermark")) {
      Files.copy(directory.resolve("buffer.db" + suffix), copy.resolve("buffer.db" + suffix));
    }
    byte[] log = Files.readAllBytes(copy.resolve("buffer.db-wal"));
    java.util.Arrays.fill(log, 0, 32, (byte) 7);
    Files.write(copy.resolve("buffer.db-wal"), log);
    buffer.close();
    directory = copy;
    open();
    assertThat(ids()).containsExactly(1L, 2L, 3L);
    assertThat(buffer.wasDamaged()).isTrue();
  }

  @Test
  void a_row_whose_id_was_never_given_hides_no_others() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    try (Sqlite foreign = new Sqlite(directory)) {
      foreign.execute("UPDATE records SET id=1000000 WHERE id=3");
    }
    assertThat(ids()).containsExactly(1L, 2L);
    buffer.acknowledge(2);
    assertThat(ids()).isEmpty();
    Appended.store(buffer, "4");
    assertThat(ids()).containsExactly(4L);
  }

  @Test
  void a_ledger_that_claims_too_much_hides_no_record() throws Exception {
    fill();
    buffer.close();
    try (Sqlite foreign = new Sqlite(directory)) {
      foreign.execute("UPDATE meta SET settled_through=400");
    }
    open();
    assertThat(ids()).isEqualTo(range(1, RECORDS));
    assertThat(buffer.wasDamaged()).isTrue();
  }

  @Test
  void a_file_from_elsewhere_is_put_behind_what_is_there_under_its_old_keys() throws Exception {
    fill();
    String bufferId = sql("SELECT buffer_id FROM meta");
    buffer.acknowledge(490);
    buffer.close();
    Path elsewhere = directory.resolve("elsewhere.db");
    for (String suffix : List.of("", "-watermark")) {
      Files.move(
          directory.resolve("buffer.db" + suffix), directory.resolve("elsewhere.db" + suffix));
    }
    open();
    Appended.store(buffer, "\"here\"");

    SalvageReport report = buffer.salvage(elsewhere);

    assertThat(report.isComplete()).isTrue();
    assertThat(report.found()).isEqualTo(10);
    assertThat(report.restored()).isEqualTo(10);
    List<PendingRecord> rows = read();
    assertThat(rows).hasSize(11);
    assertThat(rows.subList(1, 11))
        .extracting(PendingRecord::idempotencyKey)
        .isEqualTo(range(491, 500).stream().map(id -> bufferId + "-" + id).toList());
    Appended.store(buffer, "\"later\"");
    assertThat(new String(read().getLast().content().jsonData(), UTF_8)).isEqualTo("\"later\"");
    buffer.acknowledge(read().getLast().id());
    assertThat(buffer.isDrained()).isTrue();
    assertThat(buffer.totals().pending()).isZero();
  }
}
