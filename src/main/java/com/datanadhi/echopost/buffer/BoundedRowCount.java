package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.time.Clock;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;

/// Counts rows page by page, until a deadline. Confined to one thread.
final class BoundedRowCount {
  private static final int PAGE_ROWS = 2_000;

  /// A count.
  ///
  /// @param rows how many rows were counted
  /// @param complete whether these are all
  record Counted(long rows, boolean complete) {}

  private final Clock clock;
  private final long deadlineNanos;

  /// @param limit how long all counts may take together, from now
  BoundedRowCount(Clock clock, Duration limit) {
    this.clock = clock;
    this.deadlineNanos = clock.nanos() + limit.toNanos();
  }

  /// Counts the rows of `table`, whose primary key is `id`.
  Counted rowsOf(Connection connection, String table) throws SQLException {
    long rows = 0;
    long last = 0;
    try (PreparedStatement page =
        connection.prepareStatement(
            "SELECT count(*), max(id) FROM (SELECT id FROM "
                + table
                + " WHERE id > ? ORDER BY id LIMIT "
                + PAGE_ROWS
                + ")")) {
      while (clock.nanos() - deadlineNanos < 0) {
        page.setLong(1, last);
        try (ResultSet counted = page.executeQuery()) {
          boolean _ = counted.next();
          rows += counted.getLong(1);
          last = counted.getLong(2);
          if (counted.getLong(1) < PAGE_ROWS) {
            return new Counted(rows, true);
          }
        }
      }
    }
    return new Counted(rows, false);
  }
}
