package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.RejectedRange.Action;
import com.datanadhi.echopost.record.Totals;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Redriving and discarding rejected records, and what the ledger counts.
class RejectedRangeTest extends BufferFixture {
  private RejectedRange.Batch redriveAll() throws Exception {
    return apply(Action.REDRIVE, 0, Long.MAX_VALUE, null);
  }

  @Test
  void redriven_records_are_pending_again_behind_the_others_in_order_under_their_keys()
      throws Exception {
    var _ = Appended.to(buffer, Appended.record("1", "api-key", "client-key")).outcome();
    Appended.store(buffer, "2", "3");
    rejectNext(400);
    rejectNext(422);
    Appended.store(buffer, "4");
    // The listener is notified of a commit a moment after its records complete, but before the next
    // commit.
    buffer.acknowledge(2);
    int before = stored.get();

    assertThat(redriveAll()).isEqualTo(new RejectedRange.Batch(Long.MAX_VALUE, 2, List.of()));

    assertThat(payloadsAndKeys())
        .containsExactly(
            "3 " + source() + "-2", "4 " + source() + "-3", "1 client-key", "2 " + source() + "-1");
    assertThat(
            sql("SELECT id||' '||received_at||' '||api_key FROM records WHERE origin='client-key'"))
        .isEqualTo("5 1700000000000 api-key");
    assertThat(buffer.totals()).isEqualTo(new Totals(4, 0, 0, 0, 6, 2));
    assertLedger("4 0 4 0 0", "4 0");
    assertThat(stored).as("notifications for replay").hasValue(before + 1);
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
      assertThat(payloadsAndKeys()).containsExactly("1 " + source() + "-1");
    }
    assertThat(buffer.rejections()).isEqualTo(3);
    assertLedger("1 0 1 0 0", "1 0");
  }

  @Test
  void only_the_selected_records_are_redriven() throws Exception {
    Appended.store(buffer, "1", "2", "3", "4");
    for (int status : new int[] {400, 422, 400, 422}) {
      rejectNext(status);
    }
    assertThat(apply(Action.REDRIVE, 0, 4, 422).count()).isEqualTo(2);
    assertThat(apply(Action.REDRIVE, 2, 3, null).count()).isEqualTo(1);
    assertThat(apply(Action.REDRIVE, 2, 3, null))
        .isEqualTo(new RejectedRange.Batch(3, 0, List.of()));
    assertThat(payloadsAndKeys())
        .containsExactly("2 " + source() + "-2", "4 " + source() + "-4", "3 " + source() + "-3");
    assertThat(sql("SELECT group_concat(id) FROM rejected")).isEqualTo("1");
    assertLedger("4 0 3 1 0", "3 1");
  }

  @Test
  void a_record_whose_checksum_does_not_match_is_reported_and_not_redriven() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    for (int i = 0; i < 3; i++) {
      rejectNext(0);
    }
    change("UPDATE rejected SET json_data='changed' WHERE id=2");

    assertThat(redriveAll()).isEqualTo(new RejectedRange.Batch(Long.MAX_VALUE, 2, List.of(2L)));

    assertThat(sql("SELECT id||json_data FROM rejected")).isEqualTo("2changed");
    assertLedger("3 0 2 1 0", "2 1");
    assertThat(apply(Action.DISCARD, 0, 9, null).count()).isEqualTo(1);
    assertLedger("3 0 2 0 1", "2 0");
  }

  @Test
  void discarded_records_are_deleted_and_the_ledger_counts_them() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    rejectNext(400);
    rejectNext(422);
    assertThat(apply(Action.DISCARD, 0, 3, 422))
        .isEqualTo(new RejectedRange.Batch(3, 1, List.of()));
    assertThat(sql("SELECT group_concat(id) FROM rejected")).isEqualTo("1");
    assertThat(buffer.totals()).isEqualTo(new Totals(3, 0, 1, 1, 3, 2));
    assertLedger("3 0 1 1 1", "1 1");
    close();
    open();
    assertThat(buffer.totals()).isEqualTo(new Totals(3, 0, 1, 1, 3, 2));
    assertThat(buffer.wasDamaged()).isFalse();
  }

  @Test
  void a_batch_is_limited_in_the_rows_it_reads_and_continues_where_the_last_one_ended()
      throws Exception {
    String large = "\"" + "x".repeat(400_000) + "\"";
    Appended.store(buffer, large, large, large, large);
    Appended.store(
        buffer, IntStream.rangeClosed(5, 1_500).mapToObj(Integer::toString).toArray(String[]::new));
    buffer.close();
    Rejections.rejectAll(directory, 400);
    change("UPDATE rejected SET status=422 WHERE id IN (1, 1400)");
    open();

    RejectedRange range = new RejectedRange(Action.DISCARD, 0, 1_500, 422);
    RejectedRange.Batch first = buffer.apply(range).get(1, TimeUnit.MINUTES);
    assertThat(first).isEqualTo(new RejectedRange.Batch(3, 1, List.of()));
    RejectedRange.Batch second = buffer.apply(range.after(first)).get(1, TimeUnit.MINUTES);
    assertThat(second).isEqualTo(new RejectedRange.Batch(1_003, 0, List.of()));
    RejectedRange.Batch third = buffer.apply(range.after(second)).get(1, TimeUnit.MINUTES);
    assertThat(third).isEqualTo(new RejectedRange.Batch(1_500, 1, List.of()));
    assertThat(range.after(second).isComplete()).isFalse();
    assertThat(range.after(third).isComplete()).isTrue();
    assertLedger("1500 0 0 1498 2", "0 1498");
  }

  @Test
  void a_redrive_that_fails_changes_nothing() throws Exception {
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
    assertThat(payloadsAndKeys()).containsExactly("1 " + source() + "-1", "2 " + source() + "-2");
  }
}
