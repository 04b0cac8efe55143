package com.datanadhi.echopost.buffer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.salvage.SalvageReport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Salvage restores the sound records in their order, each once.
class BufferSalvageTest extends SalvageFixture {
  @Test
  void all_pending_records_of_an_unreadable_file_are_salvaged_and_come_before_newer_ones()
      throws Exception {
    fill();
    buffer.acknowledge(100);
    String source = source();
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
      if (row.id() > EPOCH) {
        assertThat(row.idempotencyKey()).doesNotStartWith(source).endsWith("-1");
      } else {
        assertThat(row.idempotencyKey()).isEqualTo(source + "-" + row.id());
      }
      assertThat(new String(row.content().jsonData(), UTF_8))
          .isEqualTo(row.id() > EPOCH ? "\"newer\"" : payload((int) row.id()));
    }
    assertThat(buffer.isSalvaging()).isFalse();
    assertThat(quarantined("")).hasSize(1);
    assertThat(quarantined("-salvaged")).hasSize(1);
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
  void rejected_records_are_restored_to_the_table_rejected() throws Exception {
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
  void a_salvage_that_was_interrupted_continues_at_the_next_start() throws Exception {
    fill();
    buffer.acknowledge(100);
    buffer.close();
    garbageHeader();
    open();
    Appended.store(buffer, "\"newer\"");
    assertThat(ids()).hasSize(RECORDS - 100 + 1);
    buffer.close();
    // As a kill after some commits of the salvage would leave it.
    try (Sqlite foreign = new Sqlite(directory)) {
      foreign.execute("DELETE FROM records WHERE id BETWEEN 200 AND 300");
      foreign.execute("UPDATE meta SET accepted = accepted - 101");
      foreign.execute("INSERT INTO salvage VALUES ('" + quarantined("").getFirst() + "', 0)");
    }
    open();
    assertThat(buffer.isSalvaging()).isTrue();
    List<Long> expected = range(101, RECORDS);
    expected.add(EPOCH + 1);
    assertThat(ids()).isEqualTo(expected);
    assertThat(buffer.wasDamaged()).isTrue();
  }

  @Test
  void a_buffer_that_is_damaged_twice_salvages_all_records_and_uses_new_ids() throws Exception {
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
  void a_quarantined_buffer_that_was_moved_back_salvages_its_newer_records_too() throws Exception {
    fill();
    quarantineAfter(writer -> {});
    for (String suffix : List.of("", "-wal", "-watermark")) {
      for (Path old : quarantined(suffix)) {
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

  /// Both have one buffer id, and gave one id to different records after the copy.
  @Test
  void the_file_of_a_copied_directory_brings_its_own_records_although_their_ids_are_taken()
      throws Exception {
    Appended.store(buffer, "1", "2");
    Path copy = copyFiles("", "-wal", "-watermark");
    Appended.store(buffer, "\"of the original\"");
    buffer.close();
    garbageHeader();
    Path original = directory.resolve("buffer.db");
    directory = copy;
    open();
    Appended.store(buffer, "\"of the copy\"");
    buffer.close();
    garbageHeader();
    open();
    assertThat(ids()).containsExactly(1L, 2L, 3L);

    SalvageReport report = buffer.salvage(original);

    assertThat(report.restored()).isEqualTo(1);
    assertThat(payloads()).containsExactly("1", "2", "\"of the copy\"", "\"of the original\"");
    assertThat(pending()).extracting(PendingRecord::idempotencyKey).doesNotHaveDuplicates();
    assertThat(buffer.totals().pending()).isEqualTo(4);
    buffer.acknowledge(EPOCH + 1);
    assertThat(buffer.isDrained()).isTrue();
    close();
    open();
    assertThat(buffer.wasDamaged()).isFalse();
  }

  @Test
  void a_file_from_another_directory_is_restored_behind_the_pending_records_under_its_old_keys()
      throws Exception {
    fill();
    String source = source();
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
        .isEqualTo(range(491, 500).stream().map(id -> source + "-" + id).toList());
    Appended.store(buffer, "\"later\"");
    assertThat(new String(read().getLast().content().jsonData(), UTF_8)).isEqualTo("\"later\"");
    buffer.acknowledge(read().getLast().id());
    assertThat(buffer.isDrained()).isTrue();
    assertThat(buffer.totals().pending()).isZero();
  }

  /// After a checkpoint SQLite writes its log from the beginning again, and leaves the older frames
  /// behind the new ones. A long payload that is only in the new frames uses pages which older
  /// frames have too.
  @Test
  void long_payloads_are_salvaged_from_a_log_with_obsolete_frames() throws Exception {
    for (int n = 1; n <= 300; n++) {
      Appended.store(buffer, "\"" + String.format("%04d", n).repeat(5_000) + "\"");
      if (n > 100 && n % 10 == 0) {
        Path crashed = Files.createDirectory(directory.resolve("crashed-" + n));
        for (String suffix : List.of("", "-wal", "-watermark")) {
          Files.copy(
              directory.resolve("buffer.db" + suffix), crashed.resolve("crashed.db" + suffix));
        }
        try (Buffer other =
            Buffer.open(Files.createDirectory(crashed.resolve("new")), clock, listener())) {
          assertThat(other.salvage(crashed.resolve("crashed.db")).found())
              .as("records salvaged after record %d", n)
              .isEqualTo(3);
        }
      }
      if (n > 2) {
        buffer.acknowledge(n - 2);
      }
    }
  }
}
