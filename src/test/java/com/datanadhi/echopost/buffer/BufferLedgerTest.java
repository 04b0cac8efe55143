package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.buffer.AppendRequest.Outcome;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.Rejection;
import org.junit.jupiter.api.Test;

/// The ledger against the rows, after another program has changed them.
class BufferLedgerTest extends SalvageFixture {
  @Test
  void a_ledger_that_disagrees_with_the_rows_is_detected_when_the_buffer_opens() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    buffer.close();
    change("DELETE FROM records WHERE id=3");
    open();
    assertThat(buffer.wasDamaged()).isTrue();
    assertThat(payloads()).containsExactly("1", "2");
  }

  @Test
  void acknowledging_missing_rows_marks_the_buffer_as_damaged() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    change("DELETE FROM records WHERE id=2");
    buffer.acknowledge(3);
    assertThat(buffer.wasDamaged()).isTrue();
    assertThat(buffer.isDrained()).isTrue();
  }

  @Test
  void missing_rows_are_reported_once_and_the_ledger_is_corrected() throws Exception {
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

  @Test
  void missing_rejected_rows_are_found_by_counting_and_the_ledger_is_corrected() throws Exception {
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
  void an_empty_table_rejected_that_should_have_rows_is_detected_when_the_buffer_opens()
      throws Exception {
    Appended.store(buffer, "1", "2");
    rejectNext(400);
    buffer.close();
    change("DELETE FROM rejected");
    open();
    assertThat(buffer.wasDamaged()).isTrue();
  }

  @Test
  void pending_rows_missing_from_the_middle_are_found_by_counting() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    change("DELETE FROM records WHERE id=2");
    buffer.close();
    assertThat(buffer.wasDamaged()).isTrue();
    open();
  }

  @Test
  void a_row_whose_id_was_never_given_hides_no_other_rows() throws Exception {
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
  void a_ledger_with_too_high_a_settled_id_hides_no_record() throws Exception {
    fill();
    buffer.close();
    try (Sqlite foreign = new Sqlite(directory)) {
      foreign.execute("UPDATE meta SET settled_through=400");
    }
    open();
    assertThat(ids()).isEqualTo(range(1, RECORDS));
    assertThat(buffer.wasDamaged()).isTrue();
  }
}
