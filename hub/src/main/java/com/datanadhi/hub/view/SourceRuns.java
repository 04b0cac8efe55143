package com.datanadhi.hub.view;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// The stored numbers of sources, as a writer sees and changes them.
///
/// Of each source it keeps the runs of one window in memory, between transactions too, and writes
/// changed ones back when it is told to. A source counts up, so its window is nearly always the one
/// around its newest numbers; a number outside moves it. Memory is bounded, whatever the number of
/// sources and runs. Not thread-safe.
final class SourceRuns {
  private static final int RUNS_BELOW = 64;
  private static final int RUNS_ABOVE = 256;

  // About 100 bytes each.
  private static final int MAX_RUNS_KEPT = 20_000;

  private static final String BELOW =
      "SELECT first, last, last_received_at FROM sources"
          + " WHERE source = ? AND first <= ? ORDER BY first DESC LIMIT "
          + RUNS_BELOW;
  private static final String ABOVE =
      "SELECT first, last, last_received_at FROM sources"
          + " WHERE source = ? AND first > ? ORDER BY first LIMIT "
          + RUNS_ABOVE;
  private static final String PUT =
      "INSERT INTO sources (source, first, last, last_received_at) VALUES (?, ?, ?, ?)"
          + " ON CONFLICT DO UPDATE SET last = excluded.last,"
          + " last_received_at = excluded.last_received_at";
  private static final String DELETE = "DELETE FROM sources WHERE source = ? AND first = ?";

  private final Sqlite sqlite;
  private final Map<String, Window> windows = new HashMap<>();
  private final Set<String> changed = new HashSet<>();

  SourceRuns(Sqlite sqlite) {
    this.sqlite = sqlite;
  }

  boolean has(String source, long number) throws SQLException {
    return window(source, number).has(number);
  }

  void add(String source, long number, long receivedAt) throws SQLException {
    Window window = window(source, number);
    if (window.add(number, receivedAt)) {
      changed.add(source);
    }
  }

  /// Writes what has changed.
  void flush() throws SQLException {
    for (String source : changed) {
      Window window = windows.get(source);
      if (window != null) {
        write(source, window);
      }
    }
    changed.clear();
  }

  /// Forgets everything, after a rollback.
  void clear() {
    windows.clear();
    changed.clear();
  }

  /// Forgets everything, if it has become much. Nothing is lost after [#flush].
  void trim() {
    long runs = 0;
    for (Window window : windows.values()) {
      runs += 1 + window.runs.size();
    }
    if (runs > MAX_RUNS_KEPT) {
      windows.clear();
    }
  }

  /// The window of the source, moved so that it tells about the number and its neighbours.
  private Window window(String source, long number) throws SQLException {
    Window window = windows.get(source);
    if (window != null && window.covers(number)) {
      return window;
    }
    if (window != null && changed.remove(source)) {
      write(source, window);
    }
    window = read(source, number);
    windows.put(source, window);
    return window;
  }

  private Window read(String source, long number) throws SQLException {
    Window window = new Window();
    int below = read(BELOW, source, number, window);
    int above = read(ABOVE, source, number, window);
    // Runs never touch, so the numbers on both sides of a run are known to be missing.
    window.lowest = below < RUNS_BELOW ? 0 : window.runs.firstKey() - 1;
    window.highest =
        above < RUNS_ABOVE ? Long.MAX_VALUE : window.runs.lastEntry().getValue().last + 1;
    return window;
  }

  private int read(String sql, String source, long number, Window into) throws SQLException {
    PreparedStatement select = sqlite.statement(sql);
    select.setString(1, source);
    select.setLong(2, number);
    int rows = 0;
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        into.runs.put(row.getLong(1), new Run(row.getLong(2), row.getLong(3)));
        rows++;
      }
    }
    return rows;
  }

  private void write(String source, Window window) throws SQLException {
    for (long first : window.removed) {
      PreparedStatement delete = sqlite.statement(DELETE);
      delete.setString(1, source);
      delete.setLong(2, first);
      int _ = delete.executeUpdate();
    }
    window.removed.clear();
    for (long first : window.put) {
      Run run = window.runs.get(first);
      if (run == null) {
        throw new IllegalStateException("a run is changed and not there");
      }
      PreparedStatement put = sqlite.statement(PUT);
      put.setString(1, source);
      put.setLong(2, first);
      put.setLong(3, run.last);
      put.setLong(4, run.lastReceivedAt);
      int _ = put.executeUpdate();
    }
    window.put.clear();
  }

  /// A run, without its first number.
  private static final class Run {
    private long last;
    private long lastReceivedAt;

    Run(long last, long lastReceivedAt) {
      this.last = last;
      this.lastReceivedAt = lastReceivedAt;
    }
  }

  /// The runs of a source that have numbers between two bounds.
  private static final class Window {
    /// Runs by their first number; they never touch.
    private final TreeMap<Long, Run> runs = new TreeMap<>();

    private final Set<Long> put = new HashSet<>();
    private final Set<Long> removed = new HashSet<>();
    private long lowest;
    private long highest;

    /// Whether it is known which of the number and its neighbours are stored.
    boolean covers(long number) {
      return number > lowest && number < highest;
    }

    boolean has(long number) {
      Map.Entry<Long, Run> below = runs.floorEntry(number);
      return below != null && below.getValue().last >= number;
    }

    /// Whether it is new.
    boolean add(long number, long receivedAt) {
      Map.Entry<Long, Run> below = runs.floorEntry(number);
      if (below != null && below.getValue().last >= number) {
        return false;
      }
      Run above = runs.get(number + 1);
      Run run;
      long first;
      if (below != null && below.getValue().last == number - 1) {
        first = below.getKey();
        run = below.getValue();
        run.last = number;
        run.lastReceivedAt = Math.max(run.lastReceivedAt, receivedAt);
      } else {
        first = number;
        run = new Run(number, receivedAt);
        runs.put(first, run);
      }
      if (above != null) {
        run.last = above.last;
        run.lastReceivedAt = Math.max(run.lastReceivedAt, above.lastReceivedAt);
        runs.remove(number + 1);
        put.remove(number + 1);
        removed.add(number + 1);
      }
      removed.remove(first);
      put.add(first);
      return true;
    }
  }
}
