package com.datanadhi.echopost.buffer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.is;

import com.datanadhi.echopost.buffer.AppendRequest.Outcome;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Appending, reading, acknowledging and rejecting: the order, the ids and the keys.
class BufferAppendReadTest extends BufferFixture {
  @Test
  void records_appended_together_are_stored_by_one_commit_and_completed_once() throws Exception {
    NewRecord[] records =
        IntStream.range(0, 5_000)
            .mapToObj(n -> Appended.record("" + n, "", null))
            .toArray(NewRecord[]::new);
    Appended together = Appended.to(buffer, records);
    // A second completion would end the writer thread, and this would not be stored.
    Appended.store(buffer, "5000");

    assertThat(together.outcome()).isEqualTo(new Outcome.Stored());
    await().alias("commits").untilAsserted(() -> assertThat(stored).hasValue(2));
    assertThat(pending())
        .extracting(record -> new String(record.content().jsonData(), UTF_8))
        .containsExactlyElementsOf(IntStream.rangeClosed(0, 5_000).mapToObj(n -> "" + n).toList());
    assertThat(buffer.waitingRecords()).isZero();
    assertThat(buffer.waitingBytes()).isZero();
  }

  @Test
  void a_new_buffer_is_empty_and_drained() throws Exception {
    assertThat(buffer.totals()).isEqualTo(new Totals(0, 0, 0, 0, 0, 0));
    assertThat(buffer.isDrained()).isTrue();
    assertThat(buffer.wasDamaged()).isFalse();
    assertThat(pending()).isEmpty();
  }

  @Test
  void an_append_completes_only_after_its_commit() throws Exception {
    Appended append = Appended.to(buffer, Appended.record("{}", "", null));
    assertThat(append.outcome()).isEqualTo(new Outcome.Stored());
    assertThat(sql("SELECT json_data FROM records")).isEqualTo("{}");
    assertThat(buffer.waitingRecords()).isZero();
    assertThat(buffer.waitingBytes()).isZero();
    assertThat(buffer.oldestWaitNanos()).isZero();
    await().untilAtomic(stored, is(1));
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
  void each_row_has_the_key_of_the_client_or_the_source_of_the_run_and_a_number_without_gaps()
      throws Exception {
    String uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
    Appended.store(buffer, "1");
    var _ = Appended.to(buffer, Appended.record("2", "", "client-key")).outcome();
    Appended.store(buffer, "3", "4");
    String first = source();
    reopen();
    Appended.store(buffer, "5");
    String second = sql("SELECT substr(origin, 1, 36) FROM records WHERE id=5");

    List<String> keys =
        List.of(first + "-1", "client-key", first + "-2", first + "-3", second + "-1");
    assertThat(pending()).extracting(PendingRecord::idempotencyKey).isEqualTo(keys);
    assertThat(sql("SELECT group_concat(origin) FROM (SELECT * FROM records ORDER BY id)"))
        .isEqualTo(String.join(",", keys));
    assertThat(sql("SELECT group_concat(DISTINCT typeof(origin)) FROM records")).isEqualTo("text");
    assertThat(first).matches(uuid);
    assertThat(second).matches(uuid).isNotEqualTo(first);
    assertThat(bufferId()).matches(uuid).isNotIn(first, second);
  }

  @Test
  void every_byte_is_preserved() throws Exception {
    String text = "{ \"é漢😀\" :\t\"\\ud800 \\u0000 \u007f\u2028\ufeff\" }\r\n";
    NewRecord record =
        new NewRecord(
            -1,
            text.getBytes(UTF_8),
            "[\"é\",\"\\u0000\"]".getBytes(UTF_8),
            "schlüssel".getBytes(UTF_8),
            "k".getBytes(UTF_8));
    assertThat(Appended.to(buffer, record).outcome()).isEqualTo(new Outcome.Stored());
    reopen();
    PendingRecord kept = pending().getFirst();
    assertThat(kept.sound()).isTrue();
    assertThat(kept.content()).usingRecursiveComparison().isEqualTo(record);
    assertThat(sql("SELECT typeof(json_data)||typeof(pipelines)||typeof(api_key) FROM records"))
        .isEqualTo("texttexttext");
    assertThat(sql("SELECT hex(json_data) FROM records"))
        .isEqualToIgnoringCase(HexFormat.of().formatHex(text.getBytes(UTF_8)));
  }

  @Test
  void a_read_is_bounded_in_records_and_bytes_but_returns_at_least_one() throws Exception {
    Appended.store(buffer, "11111", "22222", "33333", "44444");
    int size = Appended.record("11111", "", null).size();
    assertThat(buffer.read(2, Long.MAX_VALUE)).hasSize(2);
    assertThat(buffer.read(100, 1)).hasSize(1);
    assertThat(buffer.read(100, size)).hasSize(1);
    assertThat(buffer.read(100, size + 1)).hasSize(2);
    assertThat(buffer.read(100, 4L * size)).hasSize(4);
  }

  @Test
  void records_can_be_read_while_those_before_them_are_delivered() throws Exception {
    Appended.store(buffer, "1", "2", "3", "4", "5");
    assertThat(buffer.readAhead(2, 2, Long.MAX_VALUE))
        .extracting(PendingRecord::id)
        .containsExactly(3L, 4L);
    assertThat(buffer.readAhead(2, 100, 1)).extracting(PendingRecord::id).containsExactly(3L);
    assertThat(buffer.readAhead(5, 2, Long.MAX_VALUE)).isEmpty();
    assertThat(buffer.startsAfter(2)).isFalse();
    buffer.acknowledge(2);
    assertThat(buffer.startsAfter(2)).isTrue();
    buffer.acknowledge(3);
    assertThat(buffer.startsAfter(2)).isFalse();
  }

  @Test
  void nothing_is_read_ahead_where_a_row_is_missing() throws Exception {
    Appended.store(buffer, "1", "2", "3", "4", "5");
    change("DELETE FROM records WHERE id=4");
    assertThat(buffer.readAhead(2, 1, Long.MAX_VALUE)).hasSize(1);
    assertThat(buffer.readAhead(2, 3, Long.MAX_VALUE)).isEmpty();
    assertThat(buffer.readAhead(3, 1, Long.MAX_VALUE)).isEmpty();
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
  void rejecting_a_record_that_is_not_pending_fails_and_changes_nothing() throws Exception {
    Appended.store(buffer, "1");
    PendingRecord first = pending().getFirst();
    buffer.acknowledge(1);
    assertThatThrownBy(() -> buffer.reject(new Rejection(first, 400, "", 1, 0)))
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("record 1 is not there");
    assertThat(sql("SELECT rejected FROM meta")).isEqualTo("0");
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
  void a_rolled_back_append_leaves_no_gap_in_the_ids_or_the_keys() throws Exception {
    buffer.close();
    long walLimit = new Volume(directory).walLimit();
    try (BufferWriter writer =
        new BufferWriter(
            Database.openWriter(directory.resolve("buffer.db"), walLimit, 50),
            directory.resolve("buffer.db"),
            new RecordKeys())) {
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
    assertThat(pending())
        .extracting(PendingRecord::idempotencyKey)
        .containsExactly(source() + "-1", source() + "-2");
  }

  @Test
  void a_failed_commit_stores_nothing_and_makes_the_storage_unusable() throws Exception {
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
  void closing_commits_the_appends_that_wait() throws Exception {
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
  void appends_and_acknowledgements_fail_after_the_buffer_is_closed() throws Exception {
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
}
