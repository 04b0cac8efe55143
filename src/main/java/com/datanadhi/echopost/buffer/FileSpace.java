package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.PrivateFiles;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;

/// The disk space of the buffer's file and of its write-ahead log. Used by one thread at a time, as
/// [BufferWriter] is.
///
/// While records are pending, the file of the log keeps a size of [#MIN_LOG_BYTES]: a delete is
/// written over what was checkpointed before, so that it needs no disk space that another program
/// could have taken.
final class FileSpace {
  private static final int SHRINK_PAGES = 256;
  private static final int MIN_FREE_PAGES_FOR_REWRITE = 4_096;
  private static final int MAX_USED_PAGES_FOR_REWRITE = 1_024;
  private static final int COMMITS_PER_LOG_CHECK = 256;

  /// More than an acknowledgement of a batch takes, and the size at which SQLite checkpoints: a log
  /// in use has it anyway.
  private static final long MIN_LOG_BYTES = 2L << 20;

  private static final int GROW_STEP = 256 << 10;
  private static final int PIECE = 16 << 10;

  private final Connection connection;
  private final Path file;
  private final Path log;
  private final int lockWaitMillis;
  private final int maxLogPages;
  private final long minLogBytes;
  private boolean needsLog;
  private boolean logKept;
  private int commits;

  /// @param connection open on `file`
  FileSpace(Connection connection, Path file) throws SQLException {
    this.connection = connection;
    this.file = file;
    this.log = DirectoryLayout.wal(file);
    this.lockWaitMillis = number("PRAGMA busy_timeout");
    int limit = number("PRAGMA journal_size_limit");
    this.maxLogPages = limit / Database.PAGE_SIZE;
    this.minLogBytes = Math.min(limit, MIN_LOG_BYTES);
  }

  private int number(String sql) throws SQLException {
    return Integer.parseInt(Sql.query(connection, sql));
  }

  /// Copies the write-ahead log into the database, so that it is written from its start again. Its
  /// file keeps its size.
  ///
  /// @return false when a reader prevented that
  boolean checkpoint() throws SQLException {
    return checkpoint("RESTART");
  }

  /// Copies the write-ahead log into the database and truncates it. Nothing is pending.
  ///
  /// @return false when a reader prevented that
  boolean truncateLog() throws SQLException {
    needsLog = false;
    logKept = false;
    return checkpoint("TRUNCATE");
  }

  /// Truncates the log, which SQLite keeps when it closes the buffer and another process has it
  /// open.
  ///
  /// @param keepsSpace whether the log's disk space is needed by the next run
  void truncateLogAtClose(boolean keepsSpace) throws SQLException {
    if (!keepsSpace) {
      boolean _ = truncateLog();
    }
  }

  /// After the buffer was closed: reports a log that a reader has kept from being truncated.
  void reportLogLeft() throws IOException {
    long bytes = Files.exists(log) ? Files.size(log) : 0;
    if (bytes > 0) {
      Events.warning(
          EventNames.LOG_NOT_TRUNCATED,
          "bytes",
          bytes,
          "action",
          readers()
              + " has a transaction open that reads buffer.db: end it; the next agent truncates the"
              + " log then, and so does that process when it closes the file, if it may write");
    }
  }

  private boolean checkpoint(String mode) throws SQLException {
    // This must not wait: a slow reader would block the only writer.
    Sql.execute(connection, "PRAGMA busy_timeout=0");
    try {
      return "0".equals(Sql.query(connection, "PRAGMA wal_checkpoint(" + mode + ")"));
    } finally {
      Sql.execute(connection, "PRAGMA busy_timeout=" + lockWaitMillis);
    }
  }

  /// Records are pending: their deletion will need the log.
  void keepLog() {
    needsLog = true;
  }

  /// Whether the file of the log has the size that is kept, as far as it is needed.
  boolean isLogKept() {
    return !needsLog || logKept;
  }

  /// Takes one step towards the size that the log's file keeps: writes zeros behind its end, which
  /// SQLite ignores. Not within a transaction.
  ///
  /// @return whether it has that size
  /// @throws IOException when there is no disk space
  /// @throws SQLException when another process writes
  boolean growLog() throws IOException, SQLException {
    logKept = false;
    // Another process must not write to the log meanwhile.
    Sql.execute(connection, "BEGIN IMMEDIATE");
    try (FileChannel out =
        PrivateFiles.open(log, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      long end = Math.min(out.size() + GROW_STEP, minLogBytes);
      // The JDK keeps a copy of each size outside the heap.
      ByteBuffer zeros = ByteBuffer.allocate(PIECE);
      for (long at = out.size(); at < end; ) {
        at += out.write(zeros.clear().limit((int) Math.min(PIECE, end - at)), at);
      }
      logKept = out.size() >= minLogBytes;
    } finally {
      Sql.execute(connection, "ROLLBACK");
    }
    return logKept;
  }

  /// Waits for SQLite's write lock as long as a transaction does, and releases it.
  ///
  /// @throws SQLException when another process holds it
  void probeWriteLock() throws SQLException {
    Sql.execute(connection, "BEGIN IMMEDIATE");
    Sql.execute(connection, "ROLLBACK");
  }

  /// The other processes that write to the buffer, by name if that is known.
  String writers() {
    return LockHolders.writers(file);
  }

  /// The other processes that have a transaction open that reads the buffer, likewise.
  String readers() {
    return LockHolders.readers(file);
  }

  /// The pages of the database, within a transaction those that it will have.
  int pages() throws SQLException {
    return number("PRAGMA page_count");
  }

  /// Once in 256 calls, checkpoints if the log has outgrown its limit. SQLite checkpoints by itself
  /// long before, but does not report when it cannot.
  ///
  /// @throws SQLException when the checkpoint fails; what is in the log is safe
  void checkpointIfOverdue() throws SQLException {
    commits++;
    if (commits % COMMITS_PER_LOG_CHECK == 0 && logPages() > maxLogPages) {
      boolean _ = checkpoint();
    }
  }

  private int logPages() throws SQLException {
    try (var statement = connection.createStatement();
        ResultSet row = statement.executeQuery("PRAGMA wal_checkpoint(NOOP)")) {
      return row.next() ? row.getInt(2) : 0;
    }
  }

  /// Gives a few free pages back to the file system, but on a full disk none of those that moving a
  /// record to `rejected` may need: another program could take their space.
  void shrinkStepOnFullDisk() throws SQLException {
    if (number("PRAGMA freelist_count") > maxLogPages + SHRINK_PAGES) {
      int _ = shrinkStep();
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
