package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Each kind of damage to the files is detected, and costs only the records that it hit.
class BufferDamageTest extends SalvageFixture {
  @Test
  void a_zeroed_page_costs_only_its_own_records_and_they_are_reported() throws Exception {
    fill();
    buffer.close();
    long pages = Files.size(directory.resolve("buffer.db")) / 4096;
    overwrite(pages / 2 * 4096, new byte[4096]);
    open();
    List<Long> ids = ids();
    assertThat(ids).hasSizeBetween(RECORDS - 100, RECORDS).isSorted().doesNotHaveDuplicates();
    if (ids.size() < RECORDS) {
      assertThat(buffer.wasDamaged()).isTrue();
      assertThat(quarantined("-salvaged").getFirst())
          .content()
          .contains("records gone: " + (RECORDS - ids.size()) + "\ntheir ids: ");
    }
  }

  @Test
  void a_page_that_hides_rows_is_damage_although_sqlite_reads_it() throws Exception {
    fill();
    int leaf =
        Integer.parseInt(
            sql(
                "SELECT pageno FROM dbstat WHERE name='records' AND pagetype='leaf' ORDER BY ncell"
                    + " DESC LIMIT 1"));
    buffer.close();
    // The number of cells in the header of a leaf page.
    overwrite((leaf - 1L) * 4096 + 3, new byte[] {0, 1});
    open();
    assertThat(ids()).isEqualTo(range(1, RECORDS));
    assertThat(buffer.wasDamaged()).isTrue();
  }

  @Test
  void a_missing_log_is_damage_and_its_records_are_reported() throws Exception {
    fill();
    Path copy = copyFiles("", "-watermark");
    buffer.close();
    directory = copy;
    open();
    assertThat(buffer.wasDamaged()).isTrue();
    int left = ids().size();
    assertThat(quarantined("-salvaged").getFirst())
        .content()
        .contains("records gone: " + (RECORDS - left));
  }

  @Test
  void records_that_are_only_in_a_log_with_a_garbage_header_are_salvaged() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    Path copy = copyFiles("", "-wal", "-watermark");
    byte[] log = Files.readAllBytes(copy.resolve("buffer.db-wal"));
    Arrays.fill(log, 0, 32, (byte) 7);
    Files.write(copy.resolve("buffer.db-wal"), log);
    buffer.close();
    directory = copy;
    open();
    assertThat(ids()).containsExactly(1L, 2L, 3L);
    assertThat(buffer.wasDamaged()).isTrue();
  }

  @Test
  void the_records_in_the_log_of_an_empty_file_are_salvaged() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    Path copy = copyFiles("-wal", "-watermark");
    buffer.close();
    directory = copy;
    open();
    assertThat(ids()).containsExactly(1L, 2L, 3L);
    assertThat(buffer.wasDamaged()).isTrue();
  }

  /// SQLite reports an overflow page behind the end of the file as an I/O error, not as damage.
  @Test
  void a_file_truncated_within_a_long_payload_costs_only_that_record() throws Exception {
    String payload = "\"" + "x".repeat(20_000) + "\"";
    Appended.store(buffer, payload, payload, payload);
    buffer.reclaimSpace();
    Appended.store(buffer, "4");
    Path copy = copyFiles("", "-wal", "-watermark");
    try (var file = Files.newByteChannel(copy.resolve("buffer.db"), StandardOpenOption.WRITE)) {
      var _ = file.truncate(file.size() - 2 * 4096);
    }
    buffer.close();
    directory = copy;
    open();
    assertThat(ids()).containsExactly(1L, 2L, 4L);
    assertThat(buffer.wasDamaged()).isTrue();
  }

  /// As after a buffer was copied over another whose other files were left.
  @Test
  void the_watermark_of_another_buffer_costs_no_record() throws Exception {
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
}
