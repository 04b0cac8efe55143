package com.datanadhi.echopost.buffer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.buffer.AppendRequest.Outcome;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.record.RejectedBatch;
import com.datanadhi.echopost.record.RejectedBatch.Action;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.ManualClock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Redriving and discarding, and the ledger's part in it.
class RejectedBatchTest {
  @TempDir Path directory;
  private final AtomicInteger stored = new AtomicInteger();
  private Buffer buffer;
  private String bufferId = "";

  @BeforeEach
  void open() throws Exception {
    buffer = Buffer.open(directory, new ManualClock(), listener());
    bufferId = sql("SELECT buffer_id FROM meta");
  }

  @AfterEach
  void close() throws Exception {
    buffer.close();
  }

  private BufferListener listener() {
    return new BufferListener() {
      @Override
      public void stored() {
        int _ = stored.incrementAndGet();
      }

      @Override
      public void failed() {}
    };
  }

  private String sql(String query) throws Exception {
    try (Sqlite sqlite = new Sqlite(directory)) {
      return sqlite.query(query);
    }
  }

  private void change(String statement) throws Exception {
    try (Sqlite sqlite = new Sqlite(directory)) {
      sqlite.execute(statement);
    }
  }

  private void rejectNext(int status) throws Exception {
    buffer.reject(new Rejection(buffer.read(1, 1).getFirst(), status, "no", 1, 7));
  }

  private RejectedBatch.Slice sweep(
      Action action, long after, long through, @Nullable Integer status) throws Exception {
    return buffer.apply(new RejectedBatch(action, after, through, status)).get(1, TimeUnit.MINUTES);
  }

  private RejectedBatch.Slice redriveAll() throws Exception {
    return sweep(Action.REDRIVE, 0, Long.MAX_VALUE, null);
  }

  private List<String> pending() throws Exception {
    return buffer.read(Integer.MAX_VALUE, Long.MAX_VALUE).stream()
        .map(record -> {
          assertThat(record.sound()).isTrue();
          return new String(record.content().jsonData(), UTF_8) + " " + record.idempotencyKey();
        })
        .toList();
  }

  /// Accepted, delivered, pending, rejected, discarded, and the rows there really are.
  private void assertLedger(String ledger, String rows) throws Exception {
    assertThat(
            sql(
                "SELECT accepted||' '||delivered||' '||pending||' '||rejected||' '||discarded FROM"
                    + " ledger"))
        .isEqualTo(ledger);
    assertThat(sql("SELECT (SELECT count(*) FROM records)||' '||(SELECT count(*) FROM rejected)"))
        .isEqualTo(rows);
  }

  @Test
  void redriven_records_are_pending_again_behind_the_others_in_order_under_their_keys()
      throws Exception {
    var _ = Appended.to(buffer, Appended.record("1", "api-key", "client-key")).outcome();
    Appended.store(buffer, "2", "3");
    rejectNext(400);
    rejectNext(422);
    Appended.store(buffer, "4");
    // The listener hears of a commit a moment after the record's own end, but before the next
    // commit.
    buffer.acknowledge(2);
    int before = stored.get();

    assertThat(redriveAll()).isEqualTo(new RejectedBatch.Slice(Long.MAX_VALUE, 2, List.of()));

    assertThat(pending())
        .containsExactly(
            "3 " + bufferId + "-3", "4 " + bufferId + "-4", "1 client-key", "2 " + bufferId + "-2");
    assertThat(
            sql("SELECT id||' '||received_at||' '||api_key FROM records WHERE origin='client-key'"))
        .isEqualTo("5 1700000000000 api-key");
    assertThat(buffer.totals()).isEqualTo(new Totals(4, 0, 0, 0, 6, 2));
    assertLedger("4 0 4 0 0", "4 0");
    assertThat(stored).as("replay is told").hasValue(before + 1);
    assertThat(buffer.waitingRecords()).isZero();
    buffer.acknowledge(6);
    assertThat(buffer.isDrained()).isTrue();
    close();
    open();
    assertThat(buffer.wasDamaged()).isFalse();
    assertLedger("4 4 0 0 0", "0 0");
  }

  @Test
  void a_record_keeps_its_key_however_often_it_is_redriven() throws Exception {
    Appended.store(buffer, "1");
    for (int i = 0; i < 3; i++) {
      rejectNext(400);
      assertThat(redriveAll().count()).isEqualTo(1);
      assertThat(pending()).containsExactly("1 " + bufferId + "-1");
    }
    assertThat(buffer.rejections()).isEqualTo(3);
    assertLedger("1 0 1 0 0", "1 0");
  }

  @Test
  void only_the_records_meant_are_redriven() throws Exception {
    Appended.store(buffer, "1", "2", "3", "4");
    for (int status : new int[] {400, 422, 400, 422}) {
      rejectNext(status);
    }
    assertThat(sweep(Action.REDRIVE, 0, 4, 422).count()).isEqualTo(2);
    assertThat(sweep(Action.REDRIVE, 2, 3, null).count()).isEqualTo(1);
    assertThat(sweep(Action.REDRIVE, 2, 3, null))
        .isEqualTo(new RejectedBatch.Slice(3, 0, List.of()));
    assertThat(pending())
        .containsExactly("2 " + bufferId + "-2", "4 " + bufferId + "-4", "3 " + bufferId + "-3");
    assertThat(sql("SELECT group_concat(id) FROM rejected")).isEqualTo("1");
    assertLedger("4 0 3 1 0", "3 1");
  }

  @Test
  void a_record_whose_checksum_does_not_match_is_named_and_stays() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    for (int i = 0; i < 3; i++) {
      rejectNext(0);
    }
    change("UPDATE rejected SET json_data='changed' WHERE id=2");

    assertThat(redriveAll()).isEqualTo(new RejectedBatch.Slice(Long.MAX_VALUE, 2, List.of(2L)));

    assertThat(sql("SELECT id||json_data FROM rejected")).isEqualTo("2changed");
    assertLedger("3 0 2 1 0", "2 1");
    assertThat(sweep(Action.DISCARD, 0, 9, null).count()).isEqualTo(1);
    assertLedger("3 0 2 0 1", "2 0");
  }

  @Test
  void discarded_records_are_gone_and_the_ledger_counts_them() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    rejectNext(400);
    rejectNext(422);
    assertThat(sweep(Action.DISCARD, 0, 3, 422))
        .isEqualTo(new RejectedBatch.Slice(3, 1, List.of()));
    assertThat(sql("SELECT group_concat(id) FROM rejected")).isEqualTo("1");
    assertThat(buffer.totals()).isEqualTo(new Totals(3, 0, 1, 1, 3, 2));
    assertLedger("3 0 1 1 1", "1 1");
    close();
    open();
    assertThat(buffer.totals()).isEqualTo(new Totals(3, 0, 1, 1, 3, 2));
    assertThat(buffer.wasDamaged()).isFalse();
  }

  @Test
  void a_slice_is_bounded_in_what_it_looks_at_and_goes_on_where_the_last_one_ended()
      throws Exception {
    String large = "\"" + "x".repeat(400_000) + "\"";
    Appended.store(buffer, large, large, large, large);
    Appended.store(
        buffer, IntStream.rangeClosed(5, 1_500).mapToObj(Integer::toString).toArray(String[]::new));
    buffer.close();
    Rejections.rejectAll(directory, 400);
    change("UPDATE rejected SET status=422 WHERE id IN (1, 1400)");
    open();

    RejectedBatch sweep = new RejectedBatch(Action.DISCARD, 0, 1_500, 422);
    RejectedBatch.Slice first = buffer.apply(sweep).get(1, TimeUnit.MINUTES);
    assertThat(first).isEqualTo(new RejectedBatch.Slice(3, 1, List.of()));
    RejectedBatch.Slice second = buffer.apply(sweep.after(first)).get(1, TimeUnit.MINUTES);
    assertThat(second).isEqualTo(new RejectedBatch.Slice(1_003, 0, List.of()));
    RejectedBatch.Slice third = buffer.apply(sweep.after(second)).get(1, TimeUnit.MINUTES);
    assertThat(third).isEqualTo(new RejectedBatch.Slice(1_500, 1, List.of()));
    assertThat(sweep.after(second).isComplete()).isFalse();
    assertThat(sweep.after(third).isComplete()).isTrue();
    assertLedger("1500 0 0 1498 2", "0 1498");
  }

  @Test
  void a_redrive_that_fails_half_way_changes_nothing() throws Exception {
    Appended.store(buffer, "1", "2");
    rejectNext(400);
    rejectNext(400);
    change(
        "CREATE TRIGGER fault BEFORE DELETE ON rejected WHEN old.id=2"
            + " BEGIN SELECT RAISE(ABORT, 'broken'); END");
    assertThatThrownBy(this::redriveAll)
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("broken");
    assertThat(buffer.waitingRecords()).isZero();
    assertLedger("2 0 0 2 0", "0 2");
    close();
    change("DROP TRIGGER fault");
    open();
    assertThat(redriveAll().count()).isEqualTo(2);
    assertThat(pending()).containsExactly("1 " + bufferId + "-1", "2 " + bufferId + "-2");
  }

  @Test
  void on_a_full_disk_a_redrive_is_refused_and_records_can_be_discarded() throws Exception {
    Appended.store(buffer, "1", "2");
    rejectNext(400);
    rejectNext(400);
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
              Duration.ofSeconds(1),
              (broken, why) -> broken);
      RejectedBatch redrive = new RejectedBatch(Action.REDRIVE, 0, 9, null);
      Appended large = Appended.of(Appended.record("\"" + "x".repeat(1_000_000) + "\"", "", null));
      // Queued before there is a thread, so that one commit has both.
      commits.append(large, Clock.system().nanos());
      var refused = commits.apply(redrive);
      commits.start();
      assertThat(large.outcome()).isInstanceOf(Outcome.NoRoom.class);
      assertThatThrownBy(() -> refused.get(1, TimeUnit.MINUTES))
          .hasCauseInstanceOf(StorageException.class)
          .hasMessageContaining("the disk is full");
      assertThat(
              commits
                  .apply(new RejectedBatch(Action.DISCARD, 0, 1, null))
                  .get(1, TimeUnit.MINUTES)
                  .count())
          .isEqualTo(1);
      assertThat(commits.failure()).isNull();
      assertThat(commits.waitingRecords()).isZero();
      commits.close();
    }
    assertLedger("2 0 0 1 1", "0 1");
    open();
  }

  @Test
  void rejected_rows_deleted_by_hand_are_found_by_counting_and_the_ledger_is_right_again()
      throws Exception {
    Appended.store(buffer, "1", "2", "3");
    for (int i = 0; i < 3; i++) {
      rejectNext(400);
    }
    change("DELETE FROM rejected WHERE id=2");
    assertThat(buffer.wasDamaged()).isFalse();
    buffer.close();
    assertThat(buffer.wasDamaged()).isTrue();
    assertLedger("2 0 0 2 0", "0 2");
    open();
    assertThat(buffer.wasDamaged()).isFalse();
  }

  @Test
  void a_table_rejected_that_is_empty_and_should_not_be_is_noticed_at_the_start() throws Exception {
    Appended.store(buffer, "1", "2");
    rejectNext(400);
    buffer.close();
    change("DELETE FROM rejected");
    open();
    assertThat(buffer.wasDamaged()).isTrue();
  }

  @Test
  void pending_rows_deleted_by_hand_from_the_middle_are_found_by_counting() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    change("DELETE FROM records WHERE id=2");
    buffer.close();
    assertThat(buffer.wasDamaged()).isTrue();
    open();
  }

  @Test
  void counting_ends_when_its_time_is_over() throws Exception {
    Appended.store(
        buffer, IntStream.range(0, 5_000).mapToObj(Integer::toString).toArray(String[]::new));
    AtomicLong looks = new AtomicLong();
    Clock secondALook =
        new Clock() {
          @Override
          public long millis() {
            return 0;
          }

          @Override
          public long nanos() {
            return looks.getAndIncrement() * 1_000_000_000;
          }
        };
    try (Connection connection = Database.openReader(directory.resolve("buffer.db"))) {
      assertThat(
              new BoundedRowCount(secondALook, Duration.ofSeconds(60))
                  .rowsOf(connection, "records"))
          .isEqualTo(new BoundedRowCount.Counted(5_000, true));
      looks.set(0);
      assertThat(
              new BoundedRowCount(secondALook, Duration.ofSeconds(3)).rowsOf(connection, "records"))
          .isEqualTo(new BoundedRowCount.Counted(4_000, false));
    }
  }

  @Test
  void without_an_agent_an_idle_buffer_does_the_same() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    for (int status : new int[] {400, 422, 400}) {
      rejectNext(status);
    }
    buffer.close();
    try (OfflineBuffer idle = OfflineBuffer.open(directory)) {
      assertThat(idle.apply(new RejectedBatch(Action.REDRIVE, 0, 3, 400)).count()).isEqualTo(2);
      assertThat(idle.apply(new RejectedBatch(Action.DISCARD, 0, 3, null)).count()).isEqualTo(1);
    }
    open();
    assertThat(buffer.wasDamaged()).isFalse();
    assertThat(pending()).containsExactly("1 " + bufferId + "-1", "3 " + bufferId + "-3");
    assertLedger("3 0 2 0 1", "2 0");
  }

  @Test
  void a_file_that_never_got_its_first_commit_takes_records() throws Exception {
    Path fresh = Files.createDirectory(directory.resolve("fresh"));
    Files.createFile(fresh.resolve("buffer.db"));
    OfflineBuffer.open(fresh).close();
    try (BufferView view = BufferView.open(fresh)) {
      assertThat(view.totals().pending()).isZero();
    }
  }

  @Test
  void a_buffer_of_the_first_version_is_brought_up_to_date_with_all_that_is_in_it()
      throws Exception {
    Appended.store(buffer, "1", "2", "3");
    rejectNext(400);
    buffer.close();
    // What the later migrations did, undone.
    change("DROP TABLE imported");
    change("DROP TABLE salvage");
    change("ALTER TABLE meta DROP COLUMN salvaged_through");
    change("DROP VIEW ledger");
    change("ALTER TABLE meta DROP COLUMN discarded");
    change("UPDATE meta SET schema_version=1");
    assertThat(sql("SELECT count(*) FROM pragma_table_info('meta')")).isEqualTo("7");
    String why =
        "has the schema of an older EchoPost (schema 1, this version has 4): start an agent";
    assertThatThrownBy(() -> BufferView.open(directory)).hasMessageContaining(why);
    assertThatThrownBy(() -> RejectedList.open(directory)).hasMessageContaining(why);
    open();
    assertThat(buffer.totals()).isEqualTo(new Totals(3, 0, 1, 0, 3, 1));
    assertThat(redriveAll().count()).isEqualTo(1);
    assertLedger("3 0 3 0 0", "3 0");
  }

  @Test
  void the_list_for_people_has_all_in_order_page_by_page_and_no_key() throws Exception {
    var _ =
        Appended.to(buffer, Appended.record("\"" + "é".repeat(100) + "\"", "s3cret", "k"))
            .outcome();
    Appended.store(
        buffer, IntStream.rangeClosed(2, 1_200).mapToObj(Integer::toString).toArray(String[]::new));
    buffer.close();
    Rejections.rejectAll(directory, 422);
    open();
    try (RejectedList list = RejectedList.open(directory)) {
      assertThat(list.lastId()).isEqualTo(1_200);
      long last = 0;
      for (List<RejectedList.Summary> page = list.after(0);
          !page.isEmpty();
          page = list.after(last)) {
        assertThat(page).hasSizeLessThanOrEqualTo(500);
        for (RejectedList.Summary entry : page) {
          assertThat(entry.id()).isEqualTo(++last);
        }
      }
      assertThat(last).isEqualTo(1_200);
      assertThat(list.after(0).getFirst())
          .isEqualTo(new RejectedList.Summary(1, 422, 1, 7, 202, "\"" + "é".repeat(59)));
    }
  }

  @Test
  void the_list_is_not_read_from_a_file_that_is_no_buffer() throws Exception {
    Path other = Files.createDirectory(directory.resolve("other"));
    try (Sqlite theirs = new Sqlite(other)) {
      theirs.execute("CREATE TABLE rejected (id, status)");
    }
    assertThatThrownBy(() -> RejectedList.open(other))
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("is not a buffer of EchoPost");
    Files.writeString(other.resolve("buffer.db"), "garbage ".repeat(1_000));
    assertThatThrownBy(() -> RejectedList.open(other)).isInstanceOf(StorageException.class);
    assertThatThrownBy(() -> OfflineBuffer.open(other)).isInstanceOf(StorageException.class);
    assertThat(other.resolve("buffer.db")).content().startsWith("garbage");
  }
}
