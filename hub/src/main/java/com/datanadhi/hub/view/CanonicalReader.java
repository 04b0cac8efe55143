package com.datanadhi.hub.view;

import com.datanadhi.hub.json.JsonText;
import com.datanadhi.hub.record.Content;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.ViewException.Kind;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads a canonical.db. Bound to one connection, and used within its transactions.
sealed class CanonicalReader implements TenantReader, Tables permits CanonicalWriter {
  /// No snapshot is held for longer than this: SQLite cannot restart the write-ahead log before it
  /// ends.
  static final long MAX_READ_NANOS = 30_000_000_000L;

  // Rows that are looked through for a pipeline before the time is checked.
  private static final int SCAN_ROWS = 20_000;

  private static final String PIPELINES =
      "SELECT seq, pipelines FROM events WHERE seq >= ? ORDER BY seq LIMIT ?";
  private static final String STATE =
      "SELECT tenant, epoch, stream, applied_offset, seq, chain, first_seq, chain_before_first,"
          + " last_received_at, keys_forgotten_before, stored, duplicates, conflicts, skipped"
          + " FROM state";
  private static final String APPLIED =
      "SELECT a.idempotency_key, a.applied_at, a.result_json ->> 'seq', a.result_json ->>"
          + " 'records', a.result_json ->> 'sha256', a.result_json ->> 'pipelines_sha256',"
          + " a.result_json ->> 'position', a.result_json ->> 'durability'";
  // CROSS JOIN: for each key one look-up in the table, never the other way round.
  private static final String APPLIED_AMONG =
      APPLIED
          + " FROM json_each(?) AS k CROSS JOIN applied_events AS a"
          + " WHERE a.tenant_id = ? AND a.idempotency_key = k.value AND a.applied_at >= ?";
  private static final String COUNT_KEYS =
      "SELECT count(*) FROM applied_events WHERE applied_at >= ?1 AND coalesce(result_json ->>"
          + " 'seq', ?2) >= ?2";
  private static final String HAS_CONFLICT =
      "SELECT 1 FROM conflicts WHERE key = ? AND sha256 = ? AND pipelines_sha256 = ?";
  private static final String INTERVALS =
      "SELECT first, last FROM sources WHERE source = ? ORDER BY first";
  private static final String SOURCES =
      "SELECT source, first, last, last_received_at FROM sources ORDER BY source, first";
  private static final String SOURCE =
      "SELECT source, first, last, last_received_at FROM sources WHERE source = ? ORDER BY first";
  private static final String RECEIVED_AT = "SELECT received_at FROM events WHERE seq = ?";
  private static final String ITEMS_LEFT = "SELECT pipeline, n FROM items_left";
  private static final String EVENTS =
      "SELECT seq, key, part, received_at, position, pipelines, log_data, sha256, durability";
  private static final String LINES = "SELECT seq, key, received_at, pipelines, log_data";
  private static final String IN_RANGE = " FROM events WHERE seq BETWEEN ? AND ?";
  private static final String WITH_PIPELINE =
      " AND EXISTS (SELECT 1 FROM json_each(events.pipelines) WHERE value = ?)";
  private static final String IN_ORDER = " ORDER BY seq LIMIT ?";

  final Sqlite sqlite;
  final String tenant;
  private final Clock clock;
  private long began;

  CanonicalReader(Sqlite sqlite, String tenant, Clock clock) {
    this.sqlite = sqlite;
    this.tenant = tenant;
    this.clock = clock;
  }

  @Override
  public void began() {
    began = clock.nanoTime();
  }

  @Override
  public void flush() {}

  @Override
  public void committed() {}

  @Override
  public void rolledBack() {}

  @Override
  public ViewState state() {
    try (ResultSet row = sqlite.statement(STATE).executeQuery()) {
      if (!row.next()) {
        throw damaged("its table state is empty");
      }
      return new ViewState(
          row.getString(1),
          row.getString(2),
          row.getString(3),
          row.getLong(4),
          row.getLong(5),
          row.getString(6),
          row.getLong(7),
          row.getString(8),
          row.getLong(9),
          row.getLong(10),
          row.getLong(11),
          row.getLong(12),
          row.getLong(13),
          row.getLong(14));
    } catch (SQLException failed) {
      throw sqlite.failed("reading its state", failed);
    }
  }

  @Override
  public Map<String, AppliedTransaction> applied(Collection<String> keys) {
    Map<String, AppliedTransaction> found = new HashMap<>();
    if (keys.isEmpty()) {
      return found;
    }
    JsonText array = new JsonText(keys.size() * 48).raw("[");
    for (String key : keys) {
      if (array.length() > 1) {
        array.raw(",");
      }
      array.string(key);
    }
    long notForgotten = state().keysForgottenBefore();
    try {
      PreparedStatement select = sqlite.statement(APPLIED_AMONG);
      select.setString(1, array.raw("]").toString());
      select.setString(2, tenant);
      select.setLong(3, notForgotten);
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          AppliedTransaction transaction = transaction(row);
          found.put(transaction.key(), transaction);
        }
      }
    } catch (SQLException failed) {
      throw sqlite.failed("looking up keys", failed);
    }
    return found;
  }

  @Override
  public long countKeys(long fromSeq) {
    long notForgotten = state().keysForgottenBefore();
    try {
      PreparedStatement select = sqlite.statement(COUNT_KEYS);
      select.setLong(1, notForgotten);
      select.setLong(2, fromSeq);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getLong(1) : 0;
      }
    } catch (SQLException failed) {
      throw sqlite.failed("counting keys", failed);
    }
  }

  /// The row that [#APPLIED] selects.
  static AppliedTransaction transaction(ResultSet row) throws SQLException {
    return new AppliedTransaction(
        row.getString(1),
        new Content(row.getString(5), row.getString(6)),
        row.getLong(3),
        row.getInt(4),
        row.getLong(2),
        row.getString(7),
        row.getString(8));
  }

  /// One row by its key, also if it is forgotten.
  static String appliedRowSql() {
    return APPLIED + " FROM applied_events AS a WHERE a.tenant_id = ? AND a.idempotency_key = ?";
  }

  @Override
  public boolean hasConflict(String key, Content content) {
    try {
      PreparedStatement select = sqlite.statement(HAS_CONFLICT);
      select.setString(1, key);
      select.setString(2, content.digest());
      select.setString(3, content.pipelinesDigest());
      try (ResultSet row = select.executeQuery()) {
        return row.next();
      }
    } catch (SQLException failed) {
      throw sqlite.failed("looking up a conflict", failed);
    }
  }

  @Override
  public List<Interval> intervals(String source) {
    List<Interval> intervals = new ArrayList<>();
    try {
      PreparedStatement select = sqlite.statement(INTERVALS);
      select.setString(1, source);
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          intervals.add(new Interval(row.getLong(1), row.getLong(2)));
        }
      }
    } catch (SQLException failed) {
      throw sqlite.failed("reading a source", failed);
    }
    return intervals;
  }

  @Override
  public List<SourceState> sources(@Nullable String source) {
    List<SourceState> sources = new ArrayList<>();
    try {
      PreparedStatement select = sqlite.statement(source == null ? SOURCES : SOURCE);
      if (source != null) {
        select.setString(1, source);
      }
      try (ResultSet row = select.executeQuery()) {
        String name = null;
        List<Interval> intervals = new ArrayList<>();
        long lastReceivedAt = 0;
        while (row.next()) {
          String next = row.getString(1);
          if (!next.equals(name)) {
            if (name != null) {
              sources.add(new SourceState(name, intervals, lastReceivedAt));
            }
            name = next;
            intervals = new ArrayList<>();
            lastReceivedAt = 0;
          }
          intervals.add(new Interval(row.getLong(2), row.getLong(3)));
          lastReceivedAt = Math.max(lastReceivedAt, row.getLong(4));
        }
        if (name != null) {
          sources.add(new SourceState(name, intervals, lastReceivedAt));
        }
      }
    } catch (SQLException failed) {
      throw sqlite.failed("reading the sources", failed);
    }
    return sources;
  }

  @Override
  public void events(EventFilter filter, Sink<StoredEvent> sink) {
    scan(EVENTS, filter, row -> sink.accept(event(row)));
  }

  @Override
  public void lines(EventFilter filter, Sink<EventLine> sink) {
    scan(
        LINES,
        filter,
        row ->
            sink.accept(
                new EventLine(
                    row.getLong(1),
                    row.getBytes(2),
                    row.getLong(3),
                    row.getBytes(4),
                    row.getBytes(5))));
  }

  private static StoredEvent event(ResultSet row) throws SQLException {
    return new StoredEvent(
        row.getLong(1),
        row.getString(2),
        row.getInt(3),
        row.getLong(4),
        row.getString(5),
        row.getString(6),
        row.getBytes(7),
        row.getString(8),
        row.getString(9));
  }

  /// Takes a row; false ends the reading.
  private interface RowSink {
    boolean accept(ResultSet row) throws SQLException;
  }

  private void scan(String columns, EventFilter filter, RowSink sink) {
    ViewState state = state();
    // received_at never falls from one seq to the next, and seqs have no gaps.
    long from = Math.max(filter.from(), state.firstSeq());
    long to = state.seq();
    if (filter.since() != null) {
      from = firstReceived(filter.since(), from, to + 1);
    }
    if (filter.until() != null && filter.until() < Long.MAX_VALUE) {
      to = firstReceived(filter.until() + 1, from, to + 1) - 1;
    }
    int limit = filter.limit();
    long step = filter.pipeline() == null ? Long.MAX_VALUE : SCAN_ROWS;
    String sql = columns + IN_RANGE + (filter.pipeline() == null ? "" : WITH_PIPELINE) + IN_ORDER;
    // A statement of its own: a sink may call this method again.
    try (PreparedStatement select = sqlite.prepare(sql)) {
      while (limit > 0 && from <= to) {
        long last = to - from < step ? to : from + step - 1;
        int index = 1;
        select.setLong(index++, from);
        select.setLong(index++, last);
        if (filter.pipeline() != null) {
          select.setString(index++, filter.pipeline());
        }
        select.setInt(index, limit);
        int rows = rows(select, sink);
        if (rows < 0) {
          return;
        }
        limit -= rows;
        from = last + 1;
      }
    } catch (SQLException failed) {
      throw sqlite.failed("reading records", failed);
    }
  }

  @Override
  public void pipelines(long from, int limit, Sink<EventPipelines> sink) {
    try {
      PreparedStatement select = sqlite.statement(PIPELINES);
      select.setLong(1, from);
      select.setInt(2, limit);
      try (ResultSet row = select.executeQuery()) {
        int rows = 0;
        while (row.next()) {
          if (rows++ % 64 == 0) {
            checkTime();
          }
          if (!sink.accept(new EventPipelines(row.getLong(1), row.getString(2)))) {
            return;
          }
        }
      }
    } catch (SQLException failed) {
      throw sqlite.failed("reading pipelines", failed);
    }
  }

  /// Hands the rows over.
  ///
  /// @return how many, or -1 if the sink has ended the reading
  private int rows(PreparedStatement select, RowSink sink) throws SQLException {
    int rows = 0;
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        if (rows++ % 64 == 0) {
          checkTime();
        }
        if (!sink.accept(row)) {
          return -1;
        }
      }
    }
    checkTime();
    return rows;
  }

  /// The first seq in `from` to `end` - 1 that was received then or later, or `end`.
  private long firstReceived(long millis, long from, long end) {
    long low = from;
    long high = Math.max(from, end);
    try {
      PreparedStatement select = sqlite.statement(RECEIVED_AT);
      while (low < high) {
        long middle = (low + high) >>> 1;
        select.setLong(1, middle);
        try (ResultSet row = select.executeQuery()) {
          if (!row.next()) {
            throw damaged("the record with the seq " + middle + " is missing");
          }
          if (row.getLong(1) >= millis) {
            high = middle;
          } else {
            low = middle + 1;
          }
        }
      }
    } catch (SQLException failed) {
      throw sqlite.failed("looking for a moment", failed);
    }
    return low;
  }

  /// Ends a reading that holds its snapshot for too long.
  private void checkTime() {
    if (clock.nanoTime() - began > MAX_READ_NANOS) {
      throw new ViewFailure(
          new ViewException(
              Kind.UNAVAILABLE,
              sqlite.file() + ": the reading took too long: read less at a time",
              null));
    }
  }

  private ViewFailure damaged(String what) {
    return sqlite.failed(new ViewException(Kind.DAMAGED, sqlite.file() + ": " + what, null));
  }

  @Override
  public Map<String, Long> itemsLeft() {
    Map<String, Long> left = new HashMap<>();
    try (ResultSet row = sqlite.statement(ITEMS_LEFT).executeQuery()) {
      while (row.next()) {
        left.put(row.getString(1), row.getLong(2));
      }
    } catch (SQLException failed) {
      throw sqlite.failed("reading what has left", failed);
    }
    return left;
  }

  @Override
  public ControlReader control() {
    return controlTables();
  }

  final ControlTables controlTables() {
    if (!tenant.equals(TenantName.CONTROL)) {
      throw new IllegalStateException(tenant + " has no tables of the stream control");
    }
    return new ControlTables(sqlite);
  }
}
