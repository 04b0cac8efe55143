package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.directory.DirectoryLayout;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A damaged file is quarantined, and a new buffer takes its place.
class BufferQuarantineTest extends SalvageFixture {
  private static final String QUARANTINED = "buffer.db.damaged-2026-11-21T10-00-00Z";

  @Test
  void a_file_of_garbage_is_quarantined_and_a_new_buffer_works() throws Exception {
    buffer.close();
    Files.writeString(directory.resolve("buffer.db"), "this is no database ".repeat(500));
    open();
    assertThat(buffer.wasDamaged()).isTrue();
    assertThat(quarantined("")).containsExactly(directory.resolve(QUARANTINED));
    assertThat(directory.resolve(QUARANTINED)).content().startsWith("this is no database");
    Appended.store(buffer, "1");
    assertThat(payloads()).containsExactly("1");
  }

  @Test
  void the_database_of_another_program_is_quarantined_unchanged() throws Exception {
    buffer.close();
    Files.delete(directory.resolve("buffer.db"));
    change("CREATE TABLE theirs (a)", "INSERT INTO theirs VALUES (42)");
    open();
    Appended.store(buffer, "1");
    assertThat(quarantined("")).hasSize(1);
    try (Sqlite theirs = new Sqlite(directory, QUARANTINED)) {
      assertThat(theirs.query("SELECT a FROM theirs")).isEqualTo("42");
    }
  }

  @Test
  void two_buffers_quarantined_in_one_second_have_two_names() throws Exception {
    for (int i = 0; i < 2; i++) {
      buffer.close();
      Files.writeString(directory.resolve("buffer.db"), "garbage " + "x".repeat(5_000));
      open();
    }
    assertThat(quarantined(""))
        .containsExactly(directory.resolve(QUARANTINED), directory.resolve(QUARANTINED + "-2"));
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
  void a_commit_that_meets_damage_is_done_in_a_new_buffer() throws Exception {
    fill();
    buffer.acknowledge(50);
    damagePages();

    Appended.store(buffer, "\"newer\"");

    assertThat(replacements).hasValue(1);
    assertThat(buffer.failure()).isNull();
    // An acknowledgement of old records counts in the new buffer.
    buffer.acknowledge(60);
    List<Long> expected = range(61, RECORDS);
    // The overwritten bytes of an overflow page hold the number of the next one.
    expected.removeIf(id -> id % 50 == 0);
    expected.add(EPOCH + 1);
    assertThat(ids()).isEqualTo(expected);
    assertThat(buffer.wasDamaged()).isTrue();
  }

  /// Such a commit is done again in the new buffer. If it were salvaged too, its records would come
  /// twice.
  @Test
  void the_rest_of_a_commit_that_met_damage_is_not_salvaged_from_the_log() throws Exception {
    fill();
    quarantineAfter(writer -> {
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

  /// Its numbers are given to other records if an import does not go on in the new buffer.
  @Test
  void the_rest_of_a_commit_is_not_salvaged_from_the_log_if_nothing_names_the_buffer_any_more()
      throws Exception {
    fill();
    String source = source();
    String bufferId = bufferId();
    quarantineAfter(writer -> {
      writer.begin();
      String large = "\"" + "x".repeat(50_000) + "\"";
      writer.append(Collections.nCopies(40, Appended.record(large, "", null)));
      Files.delete(directory.resolve("buffer.db-watermark"));
      for (int page = 1; page < 20; page++) {
        overwrite(page * 4096L, new byte[] {77, 77, 77, 77, 77, 77, 77, 77});
      }
    });
    open();

    Appended.store(buffer, "\"newer\"");

    List<Long> expected = range(1, RECORDS);
    // The overwritten bytes of an overflow page hold the number of the next one.
    expected.removeIf(id -> id % 50 == 0);
    expected.add(EPOCH + 1);
    assertThat(ids()).containsAll(expected).allMatch(id -> id <= RECORDS || id == EPOCH + 1);
    assertThat(pending().getFirst().idempotencyKey()).isEqualTo(source + "-1");
    assertThat(bufferId()).isEqualTo(bufferId);
  }

  @Test
  void a_fourth_damaged_buffer_within_a_minute_makes_the_storage_unusable() throws Exception {
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
  void a_quarantine_that_was_interrupted_between_two_moves_is_finished_at_the_next_start()
      throws Exception {
    fill();
    buffer.close();
    garbageHeader();
    open();
    buffer.close();
    // As if buffer.db.new had not been moved yet.
    Files.move(directory.resolve("buffer.db"), directory.resolve("buffer.db.new"));
    Files.move(
        quarantined("-watermark").getFirst(),
        directory.resolve("buffer.db-watermark"),
        StandardCopyOption.REPLACE_EXISTING);
    open();
    assertThat(ids()).isEqualTo(range(1, RECORDS));
  }
}
