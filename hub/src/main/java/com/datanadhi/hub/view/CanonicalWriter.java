package com.datanadhi.hub.view;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.time.Clock;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Writes a canonical.db. Bound to one connection, and used within its transactions.
final class CanonicalWriter extends CanonicalReader implements TenantWriter {
  // log_data is bound as bytes and becomes text without passing through a string: the cast of a
  // blob to text changes no byte (https://sqlite.org/lang_expr.html#castexpr).
  private static final String INSERT_EVENT =
      "INSERT INTO events"
          + " (seq, key, part, received_at, position, pipelines, log_data, sha256, durability)"
          + " VALUES (?, ?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?)";
  private static final String PUT_APPLIED =
      "INSERT INTO applied_events (tenant_id, idempotency_key, result_json, applied_at)"
          + " VALUES (?, ?, ?, ?)"
          + " ON CONFLICT DO UPDATE SET result_json = excluded.result_json,"
          + " applied_at = excluded.applied_at";
  private static final String APPLIED_ROW = appliedRowSql();
  private static final String PUT_CONFLICT =
      "INSERT INTO conflicts (key, sha256, pipelines_sha256, first_sha256,"
          + " first_pipelines_sha256, position, received_at, acknowledged, body)"
          + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
  private static final String PUT_QUARANTINED =
      "INSERT INTO quarantine (position, record_offset, received_at, reason, payload)"
          + " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
  private static final String SAVE_STATE =
      "UPDATE state SET tenant = ?, epoch = ?, stream = ?, applied_offset = ?, seq = ?, chain = ?,"
          + " first_seq = ?, chain_before_first = ?, last_received_at = ?,"
          + " keys_forgotten_before = ?, stored = ?, duplicates = ?, conflicts = ?, skipped = ?";
  private static final String DELETE_FORGOTTEN =
      "DELETE FROM applied_events WHERE (tenant_id, idempotency_key) IN"
          + " (SELECT tenant_id, idempotency_key FROM applied_events"
          + " WHERE applied_at < (SELECT keys_forgotten_before FROM state)"
          + " ORDER BY applied_at LIMIT ?)";
  private static final String ADD_ITEMS_LEFT =
      "INSERT INTO items_left (pipeline, n) VALUES (?, ?)"
          + " ON CONFLICT DO UPDATE SET n = n + excluded.n";
  private static final String DELETE_EVENTS = "DELETE FROM events WHERE seq < ?";
  private static final String SET_FIRST = "UPDATE state SET first_seq = ?, chain_before_first = ?";

  private final SourceRuns sources;
  private final JsonText json = new JsonText(300);
  private @Nullable ViewState state;

  CanonicalWriter(Sqlite sqlite, String tenant, Clock clock) {
    super(sqlite, tenant, clock);
    sources = new SourceRuns(sqlite);
  }

  @Override
  public void flush() {
    try {
      sources.flush();
    } catch (SQLException failed) {
      throw sqlite.failed("writing the sources", failed);
    }
  }

  @Override
  public void committed() {
    sources.trim();
  }

  @Override
  public void rolledBack() {
    sources.clear();
    state = null;
  }

  @Override
  public ViewState state() {
    ViewState current = state;
    if (current == null) {
      current = super.state();
      state = current;
    }
    return current;
  }

  @Override
  public @Nullable AppliedTransaction appliedRow(String key) {
    try {
      PreparedStatement select = sqlite.statement(APPLIED_ROW);
      select.setString(1, tenant);
      select.setString(2, key);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? transaction(row) : null;
      }
    } catch (SQLException failed) {
      throw sqlite.failed("looking up a key", failed);
    }
  }

  @Override
  public void insertEvent(StoredEvent event) {
    try {
      PreparedStatement insert = sqlite.statement(INSERT_EVENT);
      insert.setLong(1, event.seq());
      insert.setString(2, event.key());
      insert.setInt(3, event.part());
      insert.setLong(4, event.receivedAt());
      insert.setString(5, event.position());
      insert.setString(6, event.pipelines());
      insert.setBytes(7, event.logData());
      insert.setString(8, event.sha256());
      insert.setString(9, event.durability());
      int _ = insert.executeUpdate();
    } catch (SQLException failed) {
      throw sqlite.failed("inserting a record", failed);
    }
  }

  @Override
  public void putApplied(AppliedTransaction transaction) {
    json.clear().raw("{\"seq\":").number(transaction.firstSeq());
    json.raw(",\"records\":").number(transaction.records());
    json.raw(",\"sha256\":").string(transaction.content().digest());
    json.raw(",\"pipelines_sha256\":").string(transaction.content().pipelinesDigest());
    json.raw(",\"position\":").string(transaction.position());
    json.raw(",\"durability\":").string(transaction.durability()).raw("}");
    try {
      PreparedStatement put = sqlite.statement(PUT_APPLIED);
      put.setString(1, tenant);
      put.setString(2, transaction.key());
      put.setString(3, json.toString());
      put.setLong(4, transaction.receivedAt());
      int _ = put.executeUpdate();
    } catch (SQLException failed) {
      throw sqlite.failed("storing a key", failed);
    }
  }

  @Override
  public boolean hasNumber(String source, long number) {
    try {
      return sources.has(source, number);
    } catch (SQLException failed) {
      throw sqlite.failed("reading a source", failed);
    }
  }

  @Override
  public void addNumber(String source, long number, long receivedAt) {
    try {
      sources.add(source, number, receivedAt);
    } catch (SQLException failed) {
      throw sqlite.failed("storing a source", failed);
    }
  }

  @Override
  public List<Interval> intervals(String source) {
    flush();
    return super.intervals(source);
  }

  @Override
  public List<SourceState> sources(@Nullable String source) {
    flush();
    return super.sources(source);
  }

  @Override
  public boolean putConflict(
      String key,
      @Nullable Content firstContent,
      Content content,
      String position,
      long receivedAt,
      byte[] body,
      boolean acknowledged) {
    try {
      PreparedStatement put = sqlite.statement(PUT_CONFLICT);
      put.setString(1, key);
      put.setString(2, content.digest());
      put.setString(3, content.pipelinesDigest());
      put.setString(4, firstContent == null ? null : firstContent.digest());
      put.setString(5, firstContent == null ? null : firstContent.pipelinesDigest());
      put.setString(6, position);
      put.setLong(7, receivedAt);
      put.setInt(8, acknowledged ? 1 : 0);
      put.setBytes(9, body);
      return put.executeUpdate() == 1;
    } catch (SQLException failed) {
      throw sqlite.failed("storing a conflict", failed);
    }
  }

  @Override
  public void putQuarantined(
      String position, long offset, long receivedAt, String reason, byte[] payload) {
    try {
      PreparedStatement put = sqlite.statement(PUT_QUARANTINED);
      put.setString(1, position);
      put.setLong(2, offset);
      put.setLong(3, receivedAt);
      put.setString(4, reason);
      put.setBytes(5, payload);
      int _ = put.executeUpdate();
    } catch (SQLException failed) {
      throw sqlite.failed("storing a log record in quarantine", failed);
    }
  }

  @Override
  public void saveState(ViewState next) {
    try {
      PreparedStatement update = sqlite.statement(SAVE_STATE);
      update.setString(1, next.tenant());
      update.setString(2, next.epoch());
      update.setString(3, next.stream());
      update.setLong(4, next.appliedOffset());
      update.setLong(5, next.seq());
      update.setString(6, next.chain());
      update.setLong(7, next.firstSeq());
      update.setString(8, next.chainBeforeFirst());
      update.setLong(9, next.lastReceivedAt());
      update.setLong(10, next.keysForgottenBefore());
      update.setLong(11, next.stored());
      update.setLong(12, next.duplicates());
      update.setLong(13, next.conflicts());
      update.setLong(14, next.skipped());
      int _ = update.executeUpdate();
    } catch (SQLException failed) {
      throw sqlite.failed("storing its state", failed);
    }
    state = next;
  }

  @Override
  public int deleteForgottenKeys(int limit) {
    try {
      PreparedStatement delete = sqlite.statement(DELETE_FORGOTTEN);
      delete.setInt(1, limit);
      return delete.executeUpdate();
    } catch (SQLException failed) {
      throw sqlite.failed("deleting forgotten keys", failed);
    }
  }

  @Override
  public void deleteEventsBefore(long seq, String chainBeforeFirst, Map<String, Long> items) {
    if (seq <= state().firstSeq()) {
      return;
    }
    try {
      for (var left : items.entrySet()) {
        PreparedStatement add = sqlite.statement(ADD_ITEMS_LEFT);
        add.setString(1, left.getKey());
        add.setLong(2, left.getValue());
        int _ = add.executeUpdate();
      }
      PreparedStatement delete = sqlite.statement(DELETE_EVENTS);
      delete.setLong(1, seq);
      int _ = delete.executeUpdate();
      PreparedStatement update = sqlite.statement(SET_FIRST);
      update.setLong(1, seq);
      update.setString(2, chainBeforeFirst);
      int _ = update.executeUpdate();
    } catch (SQLException failed) {
      throw sqlite.failed("deleting old records", failed);
    }
    state = null;
  }

  @Override
  public ControlWriter control() {
    return controlTables();
  }
}
