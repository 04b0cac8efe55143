package com.datanadhi.hub.view;

import static com.datanadhi.hub.view.Rows.append;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.hub.record.Digests;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What people see with the sqlite3 CLI while the hub has the databases open.
class SchemaTest {
  @TempDir Path directory;
  private TenantDatabases databases;

  @BeforeEach
  void open() {
    databases = new TenantDatabases(directory, 64);
  }

  @AfterEach
  void close() {
    databases.close();
  }

  private String sqlite3(String tenant, String file, String sql) throws Exception {
    String hash = Digests.hex(Digests.sha256().digest(tenant.getBytes(UTF_8)));
    Path path = directory.resolve(hash.substring(0, 2)).resolve(tenant).resolve(file);
    Process process =
        new ProcessBuilder("sqlite3", "-readonly", path.toString(), sql)
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  private static final String COLUMNS =
      "SELECT m.name || '(' || group_concat(c.name, ', ') || ')' FROM sqlite_schema m"
          + " JOIN pragma_table_info(m.name) c WHERE m.type IN ('table', 'view')"
          + " GROUP BY m.name ORDER BY m.name";

  @Test
  void the_tables_have_the_columns_that_are_promised() throws Exception {
    String _ = databases.write("acme", Rows::one);
    String _ = databases.write("_control", Rows::one);
    String _ = databases.writeMailbox("acme", Rows::oneItem);
    List<String> canonical =
        List.of(
            "applied_events(tenant_id, idempotency_key, result_json, applied_at)",
            "conflicts(key, sha256, pipelines_sha256, first_sha256, first_pipelines_sha256,"
                + " position, received_at, acknowledged, body)",
            "events(seq, key, part, received_at, position, pipelines, log_data, sha256,"
                + " durability)",
            "items_left(pipeline, n)",
            "quarantine(position, record_offset, received_at, reason, payload)",
            "recent(seq, received_at, key, part, pipelines, log_data)",
            "sources(source, first, last, last_received_at)",
            "state(id, tenant, epoch, stream, applied_offset, seq, chain, first_seq,"
                + " chain_before_first, last_received_at, keys_forgotten_before, stored,"
                + " duplicates, conflicts, skipped, schema_version)");
    assertThat(sqlite3("acme", "canonical.db", COLUMNS).lines())
        .containsExactlyElementsOf(canonical);
    assertThat(sqlite3("_control", "canonical.db", COLUMNS).lines())
        .containsAll(canonical)
        .contains(
            "api_keys(id, tenant, name, sha256, created_at, revoked_at)",
            "skips(stream, record_offset, reason, at)",
            "losses(stream, first_offset, last_offset, reason)",
            "cursors(tenant, pipeline, consumer, through, updated_at, control_offset)")
        .hasSize(canonical.size() + 4);
    assertThat(sqlite3("acme", "mailbox.db", COLUMNS).lines())
        .containsExactly(
            "cursors(pipeline, consumer, through, updated_at)",
            "items(pipeline, n, seq)",
            "pipelines(pipeline, last_n)",
            "state(id, tenant, applied_seq, control_offset, schema_version)");
    assertThat(sqlite3("acme", "canonical.db", "PRAGMA journal_mode")).isEqualTo("wal");
  }

  @Test
  void people_read_text_and_times() throws Exception {
    String _ =
        databases.write(
            "acme",
            writer -> {
              append(writer, 150);
              byte[] large = ("\"" + "ü".repeat(100_000) + "\"").getBytes(UTF_8);
              writer.insertEvent(Rows.event(151, 1_700_000_000_123L, "[]", large));
              writer.saveState(Rows.withSeq(writer.state(), 151));
              return "";
            });
    assertThat(sqlite3("acme", "canonical.db", "SELECT count(*), max(seq) FROM recent"))
        .isEqualTo("100|151");
    assertThat(
            sqlite3(
                "acme",
                "canonical.db",
                "SELECT seq, received_at, length(log_data) FROM recent LIMIT 1"))
        .isEqualTo("151|2023-11-14T22:13:20.123Z|160");
    assertThat(
            sqlite3(
                "acme",
                "canonical.db",
                "SELECT typeof(log_data), log_data, log_data ->> 'n' FROM events WHERE seq = 7"))
        .isEqualTo("text|{\"n\":7}|7");
    assertThat(
            sqlite3(
                "acme",
                "canonical.db",
                "SELECT tenant_id, idempotency_key, applied_at, result_json FROM applied_events"
                    + " WHERE result_json ->> 'seq' = 7"))
        .isEqualTo(
            "acme|"
                + Rows.key(7)
                + "|7000|{\"seq\":7,\"records\":1,\"sha256\":\""
                + Rows.DIGEST
                + "\",\"pipelines_sha256\":\""
                + Rows.PIPELINES_DIGEST
                + "\",\"position\":\"0192f0c1/events-0:6\",\"durability\":\"fsync\"}");
    assertThat(sqlite3("acme", "canonical.db", "SELECT source, first, last FROM sources"))
        .isEqualTo(Rows.SOURCE + "|1|150");
  }

  @Test
  void old_keys_are_found_by_time_and_not_by_a_scan() throws Exception {
    String _ = databases.write("acme", Rows::one);
    assertThat(
            sqlite3(
                "acme",
                "canonical.db",
                "EXPLAIN QUERY PLAN SELECT idempotency_key FROM applied_events"
                    + " WHERE applied_at < 5 ORDER BY applied_at LIMIT 9"))
        .contains("applied_events_by_time")
        .doesNotContain("TEMP B-TREE");
  }
}
