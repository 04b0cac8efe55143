package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.time.Clock;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;

/// Counts rows for real, where the ledger only reckons: page by page, for as long as there is time.
final class BoundedRowCount {
  private static final int PAGE_ROWS = 2_000;

  /// What a count came to.
  ///
  /// @param rows how many were counted
  /// @param complete whether those are all
  record Counted(long rows, boolean complete) {}

  private final Clock clock;
  private final long deadlineNanos;

  BoundedRowCount(Clock clock, Duration longest) {
    this.clock = clock;
    this.deadlineNanos = clock.nanos() + longest.toNanos();
  }

  /// The rows of `table`, whose primary key is `id`.
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
