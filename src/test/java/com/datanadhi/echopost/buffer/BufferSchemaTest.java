package com.datanadhi.echopost.buffer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.record.Checksum;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The tables, their migrations, and the settings of the database.
class BufferSchemaTest extends BufferFixture {
  @Test
  void the_packaged_migrations_make_the_schema_of_a_new_buffer() throws Exception {
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
  void the_database_is_in_wal_mode_and_marked_as_ours() throws Exception {
    assertThat(sql("PRAGMA journal_mode")).isEqualTo("wal");
    assertThat(sql("PRAGMA application_id")).isEqualTo(Integer.toString(0x4563686F));
    assertThat(sql("SELECT schema_version||' '||count(*) FROM meta")).isEqualTo("4 1");
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
  void the_view_pending_has_readable_columns_and_no_api_key() throws Exception {
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
  void a_newer_schema_is_not_opened_and_the_message_says_so() throws Exception {
    Appended.store(buffer, "1");
    buffer.close();
    change("UPDATE meta SET schema_version=999");
    assertThatThrownBy(this::open)
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("written by a newer EchoPost (schema 999");
    assertThat(quarantined("")).isEmpty();
    change("UPDATE meta SET schema_version=4");
    open();
    assertThat(payloads()).containsExactly("1");
  }

  @Test
  void a_buffer_of_the_first_version_is_migrated_with_all_its_records() throws Exception {
    Appended.store(buffer, "1", "2", "3");
    rejectNext(400);
    buffer.close();
    // Reverts the later migrations.
    change("DROP TABLE imported");
    change("DROP TABLE salvage");
    change("ALTER TABLE meta DROP COLUMN salvaged_through");
    change("DROP VIEW ledger");
    change("ALTER TABLE meta DROP COLUMN discarded");
    change("UPDATE meta SET schema_version=1");
    // That version stored no key for these records.
    for (int id = 1; id <= 3; id++) {
      long crc = Checksum.of(id, Appended.record(Integer.toString(id), "", null));
      for (String table : List.of("records", "rejected")) {
        change("UPDATE " + table + " SET origin=NULL, crc32c=" + crc + " WHERE id=" + id);
      }
    }
    assertThat(sql("SELECT count(*) FROM pragma_table_info('meta')")).isEqualTo("7");
    String why =
        "has the schema of an older EchoPost (schema 1, this version has 4): start an agent";
    assertThatThrownBy(() -> BufferView.open(directory)).hasMessageContaining(why);
    assertThatThrownBy(() -> RejectedList.open(directory)).hasMessageContaining(why);
    open();
    assertThat(buffer.totals()).isEqualTo(new Totals(3, 0, 1, 0, 3, 1));
    assertThat(apply(RejectedRange.Action.REDRIVE, 0, Long.MAX_VALUE, null).count()).isEqualTo(1);
    assertLedger("3 0 3 0 0", "3 0");
    Appended.store(buffer, "4");
    String given = sql("SELECT origin FROM records WHERE id=5");
    assertThat(given).doesNotStartWith(bufferId()).endsWith("-1");
    assertThat(payloadsAndKeys())
        .containsExactly(
            "2 " + bufferId() + "-2",
            "3 " + bufferId() + "-3",
            "1 " + bufferId() + "-1",
            "4 " + given);
  }
}
