package com.datanadhi.echopost.buffer;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;

/// The disk space of the buffer's file and of its write-ahead log. Used by one thread at a time, as
/// [BufferWriter] is.
final class FileSpace {
  private static final int SHRINK_PAGES = 256;
  private static final int MIN_FREE_PAGES_FOR_REWRITE = 4_096;
  private static final int MAX_USED_PAGES_FOR_REWRITE = 1_024;
  private static final int COMMITS_PER_LOG_CHECK = 256;

  private final Connection connection;
  private final int lockWaitMillis;
  private final int maxLogPages;
  private int commits;

  FileSpace(Connection connection) throws SQLException {
    this.connection = connection;
    this.lockWaitMillis = number("PRAGMA busy_timeout");
    this.maxLogPages = number("PRAGMA journal_size_limit") / Database.PAGE_SIZE;
  }

  private int number(String sql) throws SQLException {
    return Integer.parseInt(Sql.query(connection, sql));
  }

  /// Copies the write-ahead log into the database and truncates it, as far as readers allow.
  void checkpoint() throws SQLException {
    // This must not wait: a slow reader would block the only writer.
    Sql.execute(connection, "PRAGMA busy_timeout=0");
    try {
      String _ = Sql.query(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      Sql.execute(connection, "PRAGMA busy_timeout=" + lockWaitMillis);
    }
  }

  /// Once in 256 calls, checkpoints if the log has outgrown its limit. SQLite checkpoints by itself
  /// long before, but does not report when it cannot.
  ///
  /// @throws SQLException when the checkpoint fails; what is in the log is safe
  void checkpointIfOverdue() throws SQLException {
    commits++;
    if (commits % COMMITS_PER_LOG_CHECK == 0 && logPages() > maxLogPages) {
      checkpoint();
    }
  }

  private int logPages() throws SQLException {
    try (var statement = connection.createStatement();
        ResultSet row = statement.executeQuery("PRAGMA wal_checkpoint(NOOP)")) {
      return row.next() ? row.getInt(2) : 0;
    }
  }

  /// Gives a few free pages back to the file system. SQLite touches each page that it frees, and
  /// writes pages beyond its cache to the log: many pages at a time would take the very space that
  /// is needed.
  ///
  /// @return how many free pages are left
  int shrinkStep() throws SQLException {
    try (var statement = connection.createStatement()) {
      // It is executed as an update, since each freed page yields a row without columns.
      int _ = statement.executeUpdate("PRAGMA incremental_vacuum(" + SHRINK_PAGES + ")");
    }
    return number("PRAGMA freelist_count");
  }

  /// Rewrites the file without its free pages, if these are many and the others few. After a
  /// backlog of gigabytes this takes a second; giving the pages back one by one takes a minute.
  /// Must not be called within a transaction.
  ///
  /// @return whether it did
  boolean rewriteIfMostlyFree() throws SQLException {
    int free = number("PRAGMA freelist_count");
    int used = number("PRAGMA page_count") - free;
    if (free < MIN_FREE_PAGES_FOR_REWRITE || used > MAX_USED_PAGES_FOR_REWRITE) {
      return false;
    }
    Sql.execute(connection, "VACUUM");
    return true;
  }
}
