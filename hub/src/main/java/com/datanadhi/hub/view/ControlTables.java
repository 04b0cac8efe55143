package com.datanadhi.hub.view;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The further tables of `_control`, read and written within the transactions of its canonical.db.
final class ControlTables implements ControlWriter {
  private static final String KEYS =
      "SELECT id, tenant, name, sha256, created_at, revoked_at FROM api_keys ORDER BY created_at,"
          + " id";
  private static final String SKIPS =
      "SELECT stream, record_offset, reason, at FROM skips ORDER BY stream, record_offset";
  private static final String LOSSES =
      "SELECT stream, first_offset, last_offset, reason FROM losses ORDER BY stream, first_offset";
  private static final String CURSORS =
      "SELECT tenant, pipeline, consumer, through, updated_at, control_offset FROM cursors";
  private static final String CURSOR =
      CURSORS + " WHERE tenant = ? AND pipeline = ? AND consumer = ?";
  private static final String CURSORS_OF =
      CURSORS + " WHERE tenant = ? ORDER BY pipeline, consumer";
  private static final String CURSORS_AFTER =
      CURSORS + " WHERE tenant = ? AND control_offset > ? ORDER BY control_offset";
  private static final String TENANTS_AFTER =
      "SELECT DISTINCT tenant FROM cursors WHERE control_offset > ? ORDER BY tenant";
  private static final String PUT_KEY =
      "INSERT OR REPLACE INTO api_keys (id, tenant, name, sha256, created_at, revoked_at)"
          + " VALUES (?, ?, ?, ?, ?, ?)";
  private static final String REVOKE_KEY =
      "UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?";
  private static final String PUT_SKIP =
      "INSERT INTO skips (stream, record_offset, reason, at) VALUES (?, ?, ?, ?)"
          + " ON CONFLICT DO NOTHING";
  private static final String PUT_LOSS =
      "INSERT INTO losses (stream, first_offset, last_offset, reason) VALUES (?, ?, ?, ?)"
          + " ON CONFLICT DO NOTHING";
  private static final String PUT_CURSOR =
      "INSERT OR REPLACE INTO cursors"
          + " (tenant, pipeline, consumer, through, updated_at, control_offset)"
          + " VALUES (?, ?, ?, ?, ?, ?)";

  private final Sqlite sqlite;

  ControlTables(Sqlite sqlite) {
    this.sqlite = sqlite;
  }

  @Override
  public List<ApiKeyRow> apiKeys() {
    return list(
        KEYS,
        row -> {
          long revokedAt = row.getLong(6);
          boolean valid = row.wasNull();
          return new ApiKeyRow(
              row.getString(1),
              row.getString(2),
              row.getString(3),
              row.getString(4),
              row.getLong(5),
              valid ? null : revokedAt);
        });
  }

  @Override
  public List<SkipRow> skips() {
    return list(
        SKIPS,
        row -> new SkipRow(row.getString(1), row.getLong(2), row.getString(3), row.getLong(4)));
  }

  @Override
  public List<LossRow> losses() {
    return list(
        LOSSES,
        row -> new LossRow(row.getString(1), row.getLong(2), row.getLong(3), row.getString(4)));
  }

  @Override
  public @Nullable CursorRow cursor(String tenant, String pipeline, String consumer) {
    List<CursorRow> found = list(CURSOR, ControlTables::cursor, tenant, pipeline, consumer);
    return found.isEmpty() ? null : found.getFirst();
  }

  @Override
  public List<CursorRow> cursors(String tenant) {
    return list(CURSORS_OF, ControlTables::cursor, tenant);
  }

  @Override
  public List<CursorRow> cursorsAfter(String tenant, long controlOffset) {
    return list(CURSORS_AFTER, ControlTables::cursor, tenant, controlOffset);
  }

  @Override
  public List<String> tenantsWithCursorsAfter(long controlOffset) {
    return list(TENANTS_AFTER, row -> row.getString(1), controlOffset);
  }

  private static CursorRow cursor(ResultSet row) throws SQLException {
    return new CursorRow(
        row.getString(1),
        row.getString(2),
        row.getString(3),
        row.getLong(4),
        row.getLong(5),
        row.getLong(6));
  }

  @Override
  public void putApiKey(ApiKeyRow key) {
    int _ =
        update(
            PUT_KEY,
            key.id(),
            key.tenant(),
            key.name(),
            key.sha256(),
            key.createdAt(),
            key.revokedAt());
  }

  @Override
  public boolean revokeApiKey(String id, long revokedAt) {
    return update(REVOKE_KEY, revokedAt, id) == 1;
  }

  @Override
  public void putSkip(SkipRow skip) {
    int _ = update(PUT_SKIP, skip.stream(), skip.offset(), skip.reason(), skip.at());
  }

  @Override
  public void putLoss(LossRow loss) {
    int _ = update(PUT_LOSS, loss.stream(), loss.first(), loss.last(), loss.reason());
  }

  @Override
  public void continueInNewLog(long controlOffset) {
    sqlite.run("DELETE FROM skips");
    sqlite.run("DELETE FROM losses");
    sqlite.run("UPDATE cursors SET control_offset = " + controlOffset);
  }

  @Override
  public void putCursor(CursorRow cursor) {
    int _ =
        update(
            PUT_CURSOR,
            cursor.tenant(),
            cursor.pipeline(),
            cursor.consumer(),
            cursor.through(),
            cursor.updatedAt(),
            cursor.controlOffset());
  }

  private <T> List<T> list(String sql, Row<T> one, Object... parameters) {
    List<T> rows = new ArrayList<>();
    try {
      PreparedStatement select = sqlite.statement(sql);
      bind(select, parameters);
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          rows.add(one.read(row));
        }
      }
    } catch (SQLException failed) {
      throw sqlite.failed("reading what the stream control means", failed);
    }
    return rows;
  }

  private int update(String sql, @Nullable Object... parameters) {
    try {
      PreparedStatement update = sqlite.statement(sql);
      bind(update, parameters);
      return update.executeUpdate();
    } catch (SQLException failed) {
      throw sqlite.failed("storing what the stream control means", failed);
    }
  }

  private static void bind(PreparedStatement statement, @Nullable Object... parameters)
      throws SQLException {
    for (int i = 0; i < parameters.length; i++) {
      switch (parameters[i]) {
        case null -> statement.setNull(i + 1, Types.NULL);
        case Long number -> statement.setLong(i + 1, number);
        case Object other -> statement.setString(i + 1, other.toString());
      }
    }
  }

  /// Reads the current row.
  @FunctionalInterface
  private interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }
}
