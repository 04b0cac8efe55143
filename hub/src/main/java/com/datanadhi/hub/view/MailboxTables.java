package com.datanadhi.hub.view;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Reads and writes a mailbox.db. Bound to one connection, and used within its transactions.
final class MailboxTables implements MailboxWriter, Tables {
  // Each is as long as a pipeline's name.
  private static final int MAX_PIPELINES_KEPT = 1_000;

  private static final String APPLIED_SEQ = "SELECT applied_seq FROM state";
  private static final String CONTROL_OFFSET = "SELECT control_offset FROM state";
  private static final String ITEMS =
      "SELECT n, seq FROM items WHERE pipeline = ? AND n > ? ORDER BY n LIMIT ?";
  private static final String FIRST_ITEM =
      "SELECT n FROM items WHERE pipeline = ? ORDER BY n LIMIT 1";
  private static final String LAST_ITEM = "SELECT last_n FROM pipelines WHERE pipeline = ?";
  private static final String CURSOR =
      "SELECT through FROM cursors WHERE pipeline = ? AND consumer = ?";
  private static final String INSERT_ITEM = "INSERT INTO items (pipeline, n, seq) VALUES (?, ?, ?)";
  private static final String PUT_LAST =
      "INSERT INTO pipelines (pipeline, last_n) VALUES (?, ?)"
          + " ON CONFLICT DO UPDATE SET last_n = excluded.last_n";
  private static final String SET_SEQ = "UPDATE state SET applied_seq = ?";
  private static final String SET_CONTROL = "UPDATE state SET control_offset = ?";
  private static final String PUT_CURSOR =
      "INSERT OR REPLACE INTO cursors (pipeline, consumer, through, updated_at) VALUES (?, ?, ?,"
          + " ?)";
  private static final String PIPELINES = "SELECT pipeline FROM pipelines";
  // n and seq rise together: the first item that stays ends the search.
  private static final String FIRST_KEPT =
      "SELECT n FROM items WHERE pipeline = ? AND seq >= ? ORDER BY n LIMIT 1";
  private static final String DELETE_ITEMS = "DELETE FROM items WHERE pipeline = ? AND n < ?";

  private final Sqlite sqlite;
  private final Map<String, Long> last = new HashMap<>();
  private final Set<String> changed = new HashSet<>();

  MailboxTables(Sqlite sqlite) {
    this.sqlite = sqlite;
  }

  @Override
  public void began() {}

  @Override
  public void flush() {
    try {
      for (String pipeline : changed) {
        PreparedStatement put = sqlite.statement(PUT_LAST);
        put.setString(1, pipeline);
        put.setLong(2, last.getOrDefault(pipeline, 0L));
        int _ = put.executeUpdate();
      }
      changed.clear();
    } catch (SQLException failed) {
      throw sqlite.failed("storing the pipelines", failed);
    }
  }

  @Override
  public void committed() {
    if (last.size() > MAX_PIPELINES_KEPT) {
      last.clear();
    }
  }

  @Override
  public void rolledBack() {
    last.clear();
    changed.clear();
  }

  @Override
  public long appliedSeq() {
    return number(APPLIED_SEQ, 0);
  }

  @Override
  public long controlOffset() {
    return number(CONTROL_OFFSET, -1);
  }

  @Override
  public void items(String pipeline, long after, int limit, TenantReader.Sink<PipelineItem> sink) {
    // A statement of its own: a sink may call this method again.
    try (PreparedStatement select = sqlite.prepare(ITEMS)) {
      select.setString(1, pipeline);
      select.setLong(2, after);
      select.setInt(3, limit);
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          if (!sink.accept(new PipelineItem(row.getLong(1), row.getLong(2)))) {
            return;
          }
        }
      }
    } catch (SQLException failed) {
      throw sqlite.failed("reading items", failed);
    }
  }

  @Override
  public long firstItem(String pipeline) {
    long first = number(FIRST_ITEM, 0, pipeline);
    return first > 0 ? first : lastItem(pipeline) + 1;
  }

  @Override
  public long lastItem(String pipeline) {
    Long known = last.get(pipeline);
    return known != null ? known : number(LAST_ITEM, 0, pipeline);
  }

  @Override
  public long cursor(String pipeline, String consumer) {
    return number(CURSOR, 0, pipeline, consumer);
  }

  private long number(String sql, long otherwise, String... parameters) {
    try {
      PreparedStatement select = sqlite.statement(sql);
      for (int i = 0; i < parameters.length; i++) {
        select.setString(i + 1, parameters[i]);
      }
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getLong(1) : otherwise;
      }
    } catch (SQLException failed) {
      throw sqlite.failed("reading the mailbox", failed);
    }
  }

  @Override
  public void addItems(long seq, List<String> pipelines) {
    try {
      for (String pipeline : new LinkedHashSet<>(pipelines)) {
        long n = lastItem(pipeline) + 1;
        PreparedStatement insert = sqlite.statement(INSERT_ITEM);
        insert.setString(1, pipeline);
        insert.setLong(2, n);
        insert.setLong(3, seq);
        int _ = insert.executeUpdate();
        last.put(pipeline, n);
        changed.add(pipeline);
      }
    } catch (SQLException failed) {
      throw sqlite.failed("inserting items", failed);
    }
  }

  @Override
  public void skipItems(Map<String, Long> left) {
    left.forEach((pipeline, n) -> {
      if (n > lastItem(pipeline)) {
        last.put(pipeline, n);
        changed.add(pipeline);
      }
    });
  }

  @Override
  public void setAppliedSeq(long seq) {
    set(SET_SEQ, seq);
  }

  @Override
  public void moveCursor(
      String pipeline, String consumer, long through, long updatedAt, long controlOffset) {
    try {
      PreparedStatement put = sqlite.statement(PUT_CURSOR);
      put.setString(1, pipeline);
      put.setString(2, consumer);
      put.setLong(3, through);
      put.setLong(4, updatedAt);
      int _ = put.executeUpdate();
    } catch (SQLException failed) {
      throw sqlite.failed("moving a cursor", failed);
    }
    set(SET_CONTROL, controlOffset);
  }

  @Override
  public void continueInNewLog() {
    set(SET_CONTROL, -1);
  }

  private void set(String sql, long value) {
    try {
      PreparedStatement update = sqlite.statement(sql);
      update.setLong(1, value);
      int _ = update.executeUpdate();
    } catch (SQLException failed) {
      throw sqlite.failed("storing the state of the mailbox", failed);
    }
  }

  @Override
  public void deleteItemsBefore(long seq) {
    flush();
    try (ResultSet row = sqlite.statement(PIPELINES).executeQuery()) {
      while (row.next()) {
        deleteItemsBefore(row.getString(1), seq);
      }
    } catch (SQLException failed) {
      throw sqlite.failed("deleting items", failed);
    }
  }

  private void deleteItemsBefore(String pipeline, long seq) throws SQLException {
    PreparedStatement kept = sqlite.statement(FIRST_KEPT);
    kept.setString(1, pipeline);
    kept.setLong(2, seq);
    long first = Long.MAX_VALUE;
    try (ResultSet row = kept.executeQuery()) {
      if (row.next()) {
        first = row.getLong(1);
      }
    }
    PreparedStatement delete = sqlite.statement(DELETE_ITEMS);
    delete.setString(1, pipeline);
    delete.setLong(2, first);
    int _ = delete.executeUpdate();
  }
}
