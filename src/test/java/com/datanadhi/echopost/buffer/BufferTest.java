package com.datanadhi.echopost.buffer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.buffer.AppendRequest.Outcome;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.ManualClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BufferTest {
  private static final String ASIDE = "buffer.db.damaged-2026-11-21T10-00-00Z";

  @TempDir Path directory;
  private final ManualClock clock = new ManualClock();
  private final AtomicInteger stored = new AtomicInteger();
  private final AtomicInteger failed = new AtomicInteger();
  private Buffer buffer;

  private BufferListener listener() {
    return new BufferListener() {
      @Override
      public void stored() {
        int _ = stored.incrementAndGet();
      }

      @Override
      public void failed() {
        int _ = failed.incrementAndGet();
      }
    };
  }

  @BeforeEach
  void open() throws StorageException {
    buffer = Buffer.open(directory, clock, listener());
  }

  @AfterEach
  void close() throws Exception {
    buffer.close();
  }

  private void reopen() throws Exception {
    buffer.close();
    open();
  }

  private List<PendingRecord> pending() throws Exception {
    return buffer.read(Integer.MAX_VALUE, Long.MAX_VALUE);
  }

  private List<String> payloads() throws Exception {
    return pending().stream()
        .map(record -> new String(record.content().jsonData(), UTF_8))
        .toList();
  }

  private String sql(String query) throws Exception {
    try (Sqlite sqlite = new Sqlite(directory)) {
      return sqlite.query(query);
    }
  }

  private void change(String... statements) throws Exception {
    try (Sqlite sqlite = new Sqlite(directory)) {
      for (String statement : statements) {
        sqlite.execute(statement);
      }
    }
  }

  private List<Path> setAside() throws IOException {
    try (var files = Files.list(directory)) {
      return files
          .filter(file -> file.toString().matches(".*\\.damaged-[-0-9TZ]*"))
          .sorted()
          .toList();
    }
  }

  @Test
  void what_is_appended_together_is_stored_by_one_commit_and_settled_once() throws Exception {
    NewRecord[] records =
        IntStream.range(0, 5_000)
            .mapToObj(n -> Appended.record("" + n, "", null))
            .toArray(NewRecord[]::new);
    Appended together = Appended.to(buffer, records);
    // To settle twice ends the writer, and this would not be stored.
    Appended.store(buffer, "5000");

    assertThat(together.outcome()).isEqualTo(new Outcome.Stored());
    await().alias("commits").untilAsserted(() -> assertThat(stored).hasValue(2));
    assertThat(pending())
        .extracting(record -> new String(record.content().jsonData(), UTF_8))
        .containsExactlyElementsOf(IntStream.rangeClosed(0, 5_000).mapToObj(n -> "" + n).toList());
    assertThat(buffer.waitingRecords()).isZero();
    assertThat(buffer.waitingBytes()).isZero();
  }

  /// By a clock that stands still, it does so for as long as it ever does.
  @Test
  void the_writer_looks_out_for_the_next_where_records_come_one_by_one() throws Exception {
    assumeTrue(Runtime.getRuntime().availableProcessors() > 1);
    Appended.store(buffer, "1");
    long whole = new Volume(directory).walBound();
    await("the house in order").until(() -> Files.size(directory.resolve("reserve")) == whole);
    assertThat(clock.looks()).isLessThan(20_000);

    Appended.store(buffer, "2");

    await().until(() -> clock.looks() > 20_000);
  }

  @Test
  void a_new_buffer_is_empty_and_drained() throws Exception {
    assertThat(buffer.totals()).isEqualTo(new Totals(0, 0, 0, 0, 0, 0));
    assertThat(buffer.isDrained()).isTrue();
    assertThat(buffer.wasDamaged()).isFalse();
    assertThat(pending()).isEmpty();
  }

  @Test
  void an_append_is_settled_only_after_its_commit() throws Exception {
    Appended append = Appended.to(buffer, Appended.record("{}", "", null));
    assertThat(append.outcome()).isEqualTo(new Outcome.Stored());
    assertThat(sql("SELECT json_data FROM records")).isEqualTo("{}");
    assertThat(buffer.waitingRecords()).isZero();
    assertThat(buffer.waitingBytes()).isZero();
    assertThat(buffer.oldestWaitNanos()).isZero();
    org.awaitility.Awaitility.await().untilAtomic(stored, org.hamcrest.Matchers.is(1));
  }

  @Test
  void reopening_keeps_order_totals_and_keys() throws Exception {
    Appended.store(buffer, "1", "2", "3", "4", "5");
    buffer.acknowledge(1);
    buffer.reject(new Rejection(pending().getFirst(), 400, "no", 1, 7));
    List<String> keys = pending().stream().map(PendingRecord::idempotencyKey).toList();
    reopen();
    assertThat(buffer.totals()).isEqualTo(new Totals(5, 1, 1, 0, 5, 2));
    assertThat(payloads()).containsExactly("3", "4", "5");
    assertThat(pending()).extracting(PendingRecord::idempotencyKey).isEqualTo(keys);
    assertThat(buffer.wasDamaged()).isFalse();
  }

  @Test
  void ids_have_no_gaps_and_are_never_used_twice() throws Exception {
    Appended.store(buffer, "1", "2");
    reopen();
    Appended.store(buffer, "3");
    assertThat(pending()).extracting(PendingRecord::id).containsExactly(1L, 2L, 3L);
    buffer.acknowledge(3);
    reopen();
    Appended.store(buffer, "4");
    assertThat(pending()).extracting(PendingRecord::id).containsExactly(4L);
  }

  @Test
  void the_idempotency_key_is_the_origin_or_else_buffer_id_and_id() throws Exception {
    String bufferId = sql("SELECT buffer_id FROM meta");
    assertThat(bufferId).matches("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    var _ = Appended.to(buffer, Appended.record("1", "", "client-key")).outcome();
    Appended.store(buffer, "2");
    assertThat(pending())
        .extracting(PendingRecord::idempotencyKey)
        .containsExactly("client-key", bufferId + "-2");
    assertThat(sql("SELECT origin FROM records WHERE id=2")).isEqualTo("null");
  }

  @Test
  void every_byte_is_kept() throws Exception {
    String text = "{ \"é漢😀\" :\t\"\\ud800 \\u0000 \u007f\u2028\ufeff\" }\r\n";
    NewRecord record =
        new NewRecord(
            -1,
            text.getBytes(UTF_8),
            "[\"é\",\"\\u0000\"]".getBytes(UTF_8),
            "schlüssel".getBytes(UTF_8),
            "k");
    assertThat(Appended.to(buffer, record).outcome()).isEqualTo(new Outcome.Stored());
    reopen();
    PendingRecord kept = pending().getFirst();
    assertThat(kept.sound()).isTrue();
    assertThat(kept.content()).usingRecursiveComparison().isEqualTo(record);
    assertThat(sql("SELECT typeof(json_data)||typeof(pipelines)||typeof(api_key) FROM records"))
        .isEqualTo("texttexttext");
    assertThat(sql("SELECT hex(json_data) FROM records"))
        .isEqualToIgnoringCase(java.util.HexFormat.of().formatHex(text.getBytes(UTF_8)));
  }

  @Test
  void a_read_is_bounded_in_records_and_bytes_but_gives_one_at_least() throws Exception {
    Appended.store(buffer, "11111", "22222", "33333", "44444");
    int size = Appended.record("11111", "", null).size();
    assertThat(buffer.read(2, Long.MAX_VALUE)).hasSize(2);
    assertThat(buffer.read(100, 1)).hasSize(1);
    assertThat(buffer.read(100, size)).hasSize(1);
    assertThat(buffer.read(100, size + 1)).hasSize(2);
    assertThat(buffer.read(100, 4L * size)).hasSize(4);
  }

  @Test
  void an_acknowledgement_deletes_through_its_id() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    buffer.acknowledge(2);
    assertThat(payloads()).containsExactly("3");
    assertThat(sql("SELECT group_concat(id) FROM records")).isEqualTo("3");
    assertThat(buffer.totals()).isEqualTo(new Totals(3, 2, 0, 0, 3, 2));
    assertThat(buffer.isDrained()).isFalse();
    buffer.acknowledge(3);
    assertThat(buffer.isDrained()).isTrue();
  }

  @Test
  void a_rejection_moves_the_whole_record() throws Exception {
    var _ = Appended.to(buffer, Appended.record("{\"a\":1}", "key", "origin")).outcome();
    String row = "id||received_at||json_data||pipelines||api_key||origin||crc32c";
    String before = sql("SELECT " + row + " FROM records");
    buffer.reject(new Rejection(pending().getFirst(), 422, "wrong", 3, 99));
    assertThat(sql("SELECT " + row + " FROM rejected")).isEqualTo(before);
    assertThat(sql("SELECT status||' '||response||' '||attempts||' '||rejected_at FROM rejected"))
        .isEqualTo("422 wrong 3 99");
    assertThat(sql("SELECT count(*) FROM records")).isEqualTo("0");
    assertThat(buffer.totals()).isEqualTo(new Totals(1, 0, 1, 0, 1, 1));
  }

  @Test
  void the_view_for_people_shows_what_they_need_and_no_api_key() throws Exception {
    var _ = Appended.to(buffer, Appended.record("{\"é\":1}", "s3cret", null)).outcome();
    assertThat(sql("SELECT group_concat(name) FROM pragma_table_info('pending')"))
        .isEqualTo("id,received_utc,age_seconds,bytes,pipelines,payload_start");
    assertThat(
            sql(
                "SELECT id||' '||received_utc||' '||bytes||' '||pipelines||' '||payload_start"
                    + " FROM pending WHERE age_seconds > 0"))
        .isEqualTo("1 2023-11-14 22:13:20 8 [\"p\"] {\"é\":1}");
    var _ = Appended.to(buffer, Appended.record("x".repeat(100), "", null)).outcome();
    assertThat(sql("SELECT payload_start FROM pending WHERE id=2")).isEqualTo("x".repeat(60));
  }

  @Test
  void all_files_are_private() throws Exception {
    Appended.store(buffer, "1");
    org.awaitility.Awaitility.await().until(() -> Files.exists(directory.resolve("reserve")));
    for (String name : List.of("buffer.db", "buffer.db-wal", "buffer.db-shm", "reserve")) {
      assertThat(Files.getPosixFilePermissions(directory.resolve(name)))
          .as(name)
          .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }
  }

  @Test
  void the_database_is_in_wal_mode_and_marked_as_ours() throws Exception {
    assertThat(sql("PRAGMA journal_mode")).isEqualTo("wal");
    assertThat(sql("PRAGMA application_id")).isEqualTo(Integer.toString(0x4563686F));
    assertThat(sql("SELECT schema_version||' '||count(*) FROM meta")).isEqualTo("4 1");
  }

  @Test
  void garbage_is_set_aside_and_a_new_buffer_works() throws Exception {
    buffer.close();
    Files.writeString(directory.resolve("buffer.db"), "this is no database ".repeat(500));
    open();
    assertThat(buffer.wasDamaged()).isTrue();
    assertThat(setAside()).containsExactly(directory.resolve(ASIDE));
    assertThat(directory.resolve(ASIDE)).content().startsWith("this is no database");
    Appended.store(buffer, "1");
    assertThat(payloads()).containsExactly("1");
  }

  @Test
  void another_programs_database_is_set_aside_untouched() throws Exception {
    buffer.close();
    Files.delete(directory.resolve("buffer.db"));
    change("CREATE TABLE theirs (a)", "INSERT INTO theirs VALUES (42)");
    open();
    Appended.store(buffer, "1");
    assertThat(setAside()).hasSize(1);
    try (Sqlite theirs = new Sqlite(directory, ASIDE)) {
      assertThat(theirs.query("SELECT a FROM theirs")).isEqualTo("42");
    }
  }

  @Test
  void two_buffers_set_aside_in_one_second_have_two_names() throws Exception {
    for (int i = 0; i < 2; i++) {
      buffer.close();
      Files.writeString(directory.resolve("buffer.db"), "garbage " + "x".repeat(5_000));
      open();
    }
    assertThat(setAside())
        .containsExactly(directory.resolve(ASIDE), directory.resolve(ASIDE + "-2"));
  }

  @Test
  void an_empty_file_becomes_a_buffer() throws Exception {
    buffer.close();
    Files.write(directory.resolve("buffer.db"), new byte[0]);
    open();
    assertThat(buffer.wasDamaged()).isFalse();
    Appended.store(buffer, "1");
  }

  @Test
  void a_newer_schema_is_refused_with_a_clear_message() throws Exception {
    Appended.store(buffer, "1");
    buffer.close();
    change("UPDATE meta SET schema_version=999");
    assertThatThrownBy(this::open)
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("written by a newer EchoPost (schema 999");
    assertThat(setAside()).isEmpty();
    change("UPDATE meta SET schema_version=4");
    open();
    assertThat(payloads()).containsExactly("1");
  }

  @Test
  void a_ledger_that_disagrees_with_the_rows_is_noticed_at_the_start() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    buffer.close();
    change("DELETE FROM records WHERE id=3");
    open();
    assertThat(buffer.wasDamaged()).isTrue();
    assertThat(payloads()).containsExactly("1", "2");
  }

  @Test
  void an_acknowledgement_of_rows_that_are_gone_is_noticed() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    change("DELETE FROM records WHERE id=2");
    buffer.acknowledge(3);
    assertThat(buffer.wasDamaged()).isTrue();
    assertThat(buffer.isDrained()).isTrue();
  }

  @Test
  void the_wal_is_bounded_under_a_steady_load_with_a_reader() throws Exception {
    Path wal = directory.resolve("buffer.db-wal");
    String payload = "\"" + "x".repeat(64 << 10) + "\"";
    long largest = 0;
    for (int round = 0; round < 40; round++) {
      List<Appended> batch = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        batch.add(Appended.to(buffer, Appended.record(payload, "", null)));
      }
      assertThat(buffer.read(64, 1 << 20)).hasSizeGreaterThanOrEqualTo(round == 0 ? 0 : 16);
      for (Appended append : batch) {
        assertThat(append.outcome()).isEqualTo(new Outcome.Stored());
      }
      largest = Math.max(largest, Files.size(wal));
    }
    assertThat(Files.size(directory.resolve("buffer.db"))).isGreaterThan(64 << 20);
    assertThat(largest).isPositive().isLessThanOrEqualTo(64 << 20);
  }

  @Test
  void without_a_reader_the_wal_is_written_back_before_that_takes_long() throws Exception {
    String payload = "\"" + "x".repeat(64 << 10) + "\"";
    for (int i = 0; i < 200; i++) {
      Appended.store(buffer, payload);
    }
    // What SQLite is told to begin at, and the commit that reaches it.
    assertThat(Files.size(directory.resolve("buffer.db-wal"))).isBetween(1L << 20, 5L << 19);
  }

  @Test
  void tidying_empties_the_wal_and_gives_room_back() throws Exception {
    String payload = "x".repeat(1 << 20);
    Appended.store(buffer, payload, payload, payload);
    buffer.acknowledge(3);
    buffer.reclaimSpace();
    assertThat(directory.resolve("buffer.db-wal")).isEmptyFile();
    assertThat(Files.size(directory.resolve("buffer.db"))).isLessThan(1 << 20);
  }

  @Test
  void the_room_of_a_backlog_is_given_back_after_a_rejection_in_the_same_run() throws Exception {
    String[] payloads = new String[9];
    Arrays.fill(payloads, "x".repeat(4 << 20));
    payloads[0] = "1";
    Appended.store(buffer, payloads);
    buffer.reject(new Rejection(pending().getFirst(), 400, "no", 1, 7));
    buffer.acknowledge(9);

    buffer.reclaimSpace();

    assertThat(Files.size(directory.resolve("buffer.db"))).isLessThan(1 << 20);
    assertThat(buffer.totals().rejected()).isEqualTo(1);
  }

  @Test
  void the_room_of_a_delivered_backlog_is_given_back_in_one_go() throws Exception {
    String payload = "x".repeat(4 << 20);
    String[] payloads = new String[8];
    Arrays.fill(payloads, payload);
    Appended.store(buffer, payloads);
    buffer.acknowledge(8);
    buffer.close();
    AtomicLong nanos = new AtomicLong();
    // Whenever somebody looks, two seconds have passed: no time for a second step.
    Clock hasty =
        new Clock() {
          @Override
          public long millis() {
            return clock.millis();
          }

          @Override
          public long nanos() {
            return nanos.addAndGet(2_000_000_000);
          }
        };
    buffer = Buffer.open(directory, hasty, listener());

    buffer.reclaimSpace();

    assertThat(Files.size(directory.resolve("buffer.db"))).isLessThan(1 << 20);
    Appended.store(buffer, "9");
    assertThat(pending()).extracting(PendingRecord::id).containsExactly(9L);
    reopen();
    assertThat(payloads()).containsExactly("9");
    assertThat(buffer.wasDamaged()).isFalse();
  }

  @Test
  void after_closing_nothing_is_left_in_the_wal() throws Exception {
    Appended.store(buffer, "1");
    buffer.close();
    assertThat(directory.resolve("buffer.db-wal")).doesNotExist();
    assertThat(directory.resolve("buffer.db-shm")).doesNotExist();
    open();
    assertThat(payloads()).containsExactly("1");
  }

  @Test
  void closing_commits_what_waits() throws Exception {
    List<Appended> all =
        IntStream.range(0, 1_000)
            .mapToObj(i -> Appended.to(buffer, Appended.record(Integer.toString(i), "", null)))
            .toList();
    reopen();
    assertThat(all).allMatch(append -> append.outcome() instanceof Outcome.Stored);
    assertThat(payloads())
        .isEqualTo(IntStream.range(0, 1_000).mapToObj(Integer::toString).toList());
  }

  @Test
  void a_closed_buffer_says_so() throws Exception {
    buffer.close();
    assertThat(Appended.to(buffer, Appended.record("1", "", null)).outcome())
        .isEqualTo(new Outcome.Closed());
    assertThatThrownBy(() -> buffer.acknowledge(1))
        .isInstanceOf(StorageException.class)
        .hasMessage("the buffer is closed");
    assertThat(buffer.waitingRecords()).isZero();
    open();
    assertThat(payloads()).isEmpty();
  }

  @Test
  void a_failed_commit_acknowledges_nothing_and_ends_the_storage() throws Exception {
    Appended.store(buffer, "1");
    change(
        "CREATE TRIGGER fault BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'broken'); END");
    Appended lost = Appended.to(buffer, Appended.record("2", "", null));
    assertThat(lost.outcome())
        .isInstanceOfSatisfying(
            Outcome.Failed.class, outcome -> assertThat(outcome.message()).contains("broken"));
    assertThat(failed).hasValue(1);
    assertThat(buffer.failure()).hasMessageContaining("broken");
    assertThatThrownBy(() -> buffer.acknowledge(1)).isInstanceOf(StorageException.class);
    assertThat(buffer.totals()).isEqualTo(new Totals(1, 0, 0, 0, 1, 0));
    assertThat(sql("SELECT accepted||' '||(SELECT group_concat(json_data) FROM records) FROM meta"))
        .isEqualTo("1 1");
    change("DROP TRIGGER fault");
    reopen();
    Appended.store(buffer, "3");
    assertThat(payloads()).containsExactly("1", "3");
    assertThat(pending()).extracting(PendingRecord::id).containsExactly(1L, 2L);
  }

  @Test
  void a_rejection_of_what_is_not_there_fails_and_changes_nothing() throws Exception {
    Appended.store(buffer, "1");
    PendingRecord first = pending().getFirst();
    buffer.acknowledge(1);
    assertThatThrownBy(() -> buffer.reject(new Rejection(first, 400, "", 1, 0)))
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("record 1 is not there");
    assertThat(sql("SELECT rejected FROM meta")).isEqualTo("0");
  }

  @Test
  void a_foreign_write_lock_on_a_full_disk_is_not_the_end() throws Exception {
    buffer.close();
    Volume volume = new Volume(directory);
    try (Connection connection =
        Database.openWriter(directory.resolve("buffer.db"), volume.walBound(), 50)) {
      Sql.execute(connection, "PRAGMA max_page_count=20");
      CommitPipeline commits =
          new CommitPipeline(
              new BufferWriter(connection, directory.resolve("buffer.db")),
              new DiskReserve(directory.resolve("reserve"), volume),
              listener(),
              Clock.system(),
              Duration.ofMillis(200),
              (broken, why) -> broken);
      commits.start();
      Appended refused =
          Appended.of(Appended.record("\"" + "x".repeat(1_000_000) + "\"", "", null));
      commits.append(refused, Clock.system().nanos());
      assertThat(refused.outcome()).isInstanceOf(Outcome.NoRoom.class);
      try (Sqlite foreign = new Sqlite(directory)) {
        foreign.execute("BEGIN IMMEDIATE");
        Appended also = Appended.of(Appended.record("1", "", null));
        commits.append(also, Clock.system().nanos());
        // To make room needs a write; it is tried a few times a second.
        await().pollDelay(Duration.ofSeconds(1)).until(() -> true);
        foreign.execute("ROLLBACK");
      }
      assertThat(commits.failure()).isNull();
      assertThat(failed).hasValue(0);
      assertThat(commits.waitingRecords()).isZero();
      assertThat(commits.waitingBytes()).isZero();
      commits.close();
    }
    open();
  }

  @Test
  void a_foreign_write_lock_fails_the_commit_for_a_moment_only() throws Exception {
    buffer.close();
    Path file = directory.resolve("buffer.db");
    Volume volume = new Volume(directory);
    try (Connection connection = Database.openWriter(file, volume.walBound(), 50)) {
      BufferWriter writer = new BufferWriter(connection, directory.resolve("buffer.db"));
      CommitPipeline commits =
          new CommitPipeline(
              writer,
              new DiskReserve(directory.resolve("reserve"), volume),
              listener(),
              Clock.system(),
              Duration.ofMillis(200),
              (broken, why) -> broken);
      commits.start();
      Appended refused = Appended.of(Appended.record("1", "", null));
      try (Sqlite foreign = new Sqlite(directory)) {
        foreign.execute("BEGIN IMMEDIATE");
        commits.append(refused, Clock.system().nanos());
        assertThat(refused.outcome())
            .isInstanceOfSatisfying(
                Outcome.Failed.class,
                outcome -> assertThat(outcome.message()).contains("another process holds"));
        assertThatThrownBy(() -> commits.acknowledge(1).get())
            .isInstanceOf(ExecutionException.class)
            .cause()
            .isInstanceOfSatisfying(
                StorageException.class, busy -> assertThat(busy.isTransient()).isTrue());
        foreign.execute("ROLLBACK");
      }
      assertThat(commits.failure()).isNull();
      assertThat(failed).hasValue(0);
      Appended kept = Appended.of(Appended.record("2", "", null));
      commits.append(kept, Clock.system().nanos());
      assertThat(kept.outcome()).isEqualTo(new Outcome.Stored());
      assertThat(commits.totals()).isEqualTo(new Totals(1, 0, 0, 0, 1, 0));
      commits.close();
    }
    open();
    assertThat(payloads()).containsExactly("2");
  }

  @Test
  void a_commit_is_synced_as_far_as_the_system_can() throws Exception {
    buffer.close();
    try (Connection writer = Database.openWriter(directory.resolve("buffer.db"), 1 << 20, 50)) {
      assertThat(Sql.query(writer, "PRAGMA synchronous")).isEqualTo("2");
      assertThat(Sql.query(writer, "PRAGMA fullfsync")).isEqualTo("1");
    }
  }

  @Test
  void what_was_rolled_back_leaves_no_gap() throws Exception {
    buffer.close();
    long bound = new Volume(directory).walBound();
    try (BufferWriter writer =
        new BufferWriter(
            Database.openWriter(directory.resolve("buffer.db"), bound, 50),
            directory.resolve("buffer.db"))) {
      for (boolean commit : new boolean[] {true, false, true}) {
        writer.begin();
        writer.append(List.of(Appended.record("1", "", null)));
        if (commit) {
          writer.commit();
        } else {
          writer.rollback();
        }
      }
      assertThat(writer.totals()).isEqualTo(new Totals(2, 0, 0, 0, 2, 0));
    }
    open();
    assertThat(pending()).extracting(PendingRecord::id).containsExactly(1L, 2L);
  }

  @Test
  void an_append_in_one_batch_with_an_acknowledgement_keeps_its_order() throws Exception {
    Appended.store(buffer, "1");
    Appended second = Appended.to(buffer, Appended.record("2", "", null));
    buffer.acknowledge(1);
    assertThat(second.outcome()).isEqualTo(new Outcome.Stored());
    assertThat(payloads()).containsExactly("2");
    assertThat(buffer.totals()).isEqualTo(new Totals(2, 1, 0, 0, 2, 1));
  }

  @Test
  void the_migration_in_the_package_is_the_schema_of_a_new_buffer() throws Exception {
    assertThat(
            sql(
                "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_schema"
                    + " WHERE name NOT LIKE 'sqlite_%' ORDER BY name)"))
        .isEqualTo("imported ledger meta pending records rejected salvage");
    try (var files = Files.list(Path.of("sql"))) {
      long migrations = files.filter(file -> file.toString().endsWith(".sql")).count();
      assertThat(sql("SELECT schema_version FROM meta")).isEqualTo(Long.toString(migrations));
    }
  }

  @Test
  void calls_wait_while_another_process_writes_for_a_while() throws Exception {
    Appended waiting = Appended.of(Appended.record("1", "", null));
    try (Sqlite foreign = new Sqlite(directory)) {
      foreign.execute("BEGIN IMMEDIATE");
      buffer.append(waiting);
      // Longer than SQLite itself waits.
      await().pollDelay(Duration.ofMillis(1_500)).until(() -> buffer.waitingRecords() == 1);
      foreign.execute("ROLLBACK");
    }

    assertThat(waiting.outcome()).isEqualTo(new Outcome.Stored());
  }

  @Test
  void rows_deleted_by_hand_are_named_once_and_the_ledger_is_right_again() throws Exception {
    for (int i = 1; i <= 5; i++) {
      Appended stored = Appended.of(Appended.record(Integer.toString(i), "", null));
      buffer.append(stored);
      assertThat(stored.outcome()).isEqualTo(new Outcome.Stored());
    }
    try (Sqlite foreign = new Sqlite(directory)) {
      foreign.execute("DELETE FROM records WHERE id IN (2, 4)");
    }

    buffer.acknowledge(3);
    PendingRecord fifth = pending().getFirst();
    buffer.reject(new Rejection(fifth, 400, "", 1, 0));

    assertThat(buffer.wasDamaged()).isTrue();
    assertThat(sql("SELECT accepted || ' ' || delivered || ' ' || rejected FROM meta"))
        .isEqualTo("3 2 1");
    buffer.close();
    open();
    assertThat(buffer.wasDamaged()).isFalse();
    assertThat(buffer.isDrained()).isTrue();
  }
}
