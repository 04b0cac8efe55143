package com.datanadhi.hub.view;

import com.datanadhi.hub.view.ViewException.Kind;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.sqlite.ProgressHandler;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/// A connection to a database file, with the statements that are prepared on it. Not thread-safe.
///
/// After a failure of SQLite it is of no further use: [#failure] tells it, also when a caller has
/// swallowed the exception.
final class Sqlite implements AutoCloseable {
  /// How long a statement waits for a lock of another process, such as the sqlite3 CLI. The thread
  /// that applies waits with it, and all tenants behind that thread: a lock that is held for longer
  /// parks its tenant.
  static final int BUSY_MILLIS = 100;

  // SQLite's own checkpoints, within a commit, are for when the regular ones fail: those come after
  // 16 MiB of records.
  private static final int PAGES_BEFORE_CHECKPOINT = 8_192;

  // The file of the write-ahead log is truncated to this size when SQLite restarts it.
  private static final int WAL_BYTES_KEPT = 16 << 20;

  // A million of SQLite's instructions take some tens of milliseconds.
  private static final int INSTRUCTIONS_BETWEEN_QUESTIONS = 10_000;

  private final Path file;
  private final Connection connection;
  private final Map<String, PreparedStatement> statements = new HashMap<>();
  private @Nullable ViewException failure;

  private Sqlite(Path file, Connection connection) {
    this.file = file;
    this.connection = connection;
  }

  /// Opens an existing file.
  static Sqlite open(Path file, int cacheKib) throws ViewException {
    return open(
        file,
        cacheKib,
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=NORMAL",
        "PRAGMA wal_autocheckpoint=" + PAGES_BEFORE_CHECKPOINT,
        "PRAGMA journal_size_limit=" + WAL_BYTES_KEPT);
  }

  /// Opens an existing file that is thrown away after a crash.
  static Sqlite openUnfinished(Path file, int cacheKib) throws ViewException {
    return open(file, cacheKib, "PRAGMA journal_mode=MEMORY", "PRAGMA synchronous=OFF");
  }

  private static Sqlite open(Path file, int cacheKib, String... pragmas) throws ViewException {
    SQLiteConfig config = new SQLiteConfig();
    config.setBusyTimeout(BUSY_MILLIS);
    // The driver would prepare and run a query for the last row id after each insert.
    config.setGetGeneratedKeys(false);
    Connection connection;
    try {
      connection = config.createConnection("jdbc:sqlite:" + file);
    } catch (SQLException refused) {
      throw failure(file, "opening it", refused);
    }
    letTransactionsAlone(connection);
    Sqlite sqlite = new Sqlite(file, connection);
    try {
      for (String pragma : pragmas) {
        sqlite.run(pragma);
      }
      sqlite.run("PRAGMA cell_size_check=ON");
      sqlite.run("PRAGMA trusted_schema=OFF");
      sqlite.run("PRAGMA temp_store=MEMORY");
      sqlite.cacheKib(cacheKib);
      return sqlite;
    } catch (ViewFailure failed) {
      sqlite.close();
      throw failed.failure();
    }
  }

  /// Opens a file that nobody writes, for reading alone: without locks, without the files that
  /// SQLite would create beside it, and without looking at such files.
  static Sqlite openUnchanging(Path file) throws ViewException {
    SQLiteConfig config = new SQLiteConfig();
    config.setReadOnly(true);
    return openAlone(
        file, config, file.toUri().toASCIIString() + "?immutable=1", "PRAGMA cell_size_check=ON");
  }

  /// Opens a file that nobody else uses and that is thrown away if anything fails.
  static Sqlite openAlone(Path file) throws ViewException {
    return openAlone(
        file,
        new SQLiteConfig(),
        file.toString(),
        "PRAGMA journal_mode=OFF",
        "PRAGMA synchronous=OFF");
  }

  private static Sqlite openAlone(Path file, SQLiteConfig config, String name, String... pragmas)
      throws ViewException {
    Connection connection;
    try {
      connection = config.createConnection("jdbc:sqlite:" + name);
    } catch (SQLException refused) {
      throw failure(file, "opening it", refused);
    }
    letTransactionsAlone(connection);
    Sqlite sqlite = new Sqlite(file, connection);
    try {
      for (String pragma : pragmas) {
        sqlite.run(pragma);
      }
      sqlite.run("PRAGMA trusted_schema=OFF");
      sqlite.run("PRAGMA temp_store=MEMORY");
      return sqlite;
    } catch (ViewFailure failed) {
      sqlite.close();
      throw failed.failure();
    }
  }

  /// Tells the driver that it has nothing to do for transactions, which this class begins and ends
  /// with SQL. It would try to begin and commit one after each statement otherwise, which fails
  /// within a transaction and costs as much as the insert of a small row.
  private static void letTransactionsAlone(Connection connection) {
    ((SQLiteConnection) connection).getConnectionConfig().setAutoCommit(false);
  }

  Path file() {
    return file;
  }

  /// The statement, prepared once.
  PreparedStatement statement(String sql) throws SQLException {
    PreparedStatement prepared = statements.get(sql);
    if (prepared == null) {
      prepared = connection.prepareStatement(sql);
      statements.put(sql, prepared);
    }
    return prepared;
  }

  /// A statement of the caller's own, which may be in use more than once.
  PreparedStatement prepare(String sql) throws SQLException {
    return connection.prepareStatement(sql);
  }

  /// Runs statements that return nothing that matters.
  void run(String sql) {
    try (Statement statement = connection.createStatement()) {
      boolean _ = statement.execute(sql);
    } catch (SQLException failed) {
      throw failed(sql, failed);
    }
  }

  /// Runs a script of several statements.
  void script(String sql) {
    try (Statement statement = connection.createStatement()) {
      int _ = statement.executeUpdate(sql); // only this call runs more than the first of them
    } catch (SQLException failed) {
      throw failed("creating its tables", failed);
    }
  }

  /// The first column of the first row, or null.
  @Nullable String text(String sql) {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? row.getString(1) : null;
    } catch (SQLException failed) {
      throw failed(sql, failed);
    }
  }

  /// The first column of the first row, or `otherwise`.
  long number(String sql, long otherwise) {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? row.getLong(1) : otherwise;
    } catch (SQLException failed) {
      throw failed(sql, failed);
    }
  }

  /// Makes statements fail once a condition is true, which is asked often.
  void endWhen(BooleanSupplier condition) {
    try {
      ProgressHandler.setHandler(
          connection,
          INSTRUCTIONS_BETWEEN_QUESTIONS,
          new ProgressHandler() {
            @Override
            protected int progress() {
              return condition.getAsBoolean() ? 1 : 0;
            }
          });
    } catch (SQLException failed) {
      throw failed("setting a handler", failed);
    }
  }

  void endNever() {
    try {
      ProgressHandler.clearHandler(connection);
    } catch (SQLException failed) {
      throw failed("clearing a handler", failed);
    }
  }

  /// Writes a copy of the database as it is now into an empty file. Others read and write
  /// meanwhile.
  void copyInto(Path empty) {
    try (PreparedStatement vacuum = prepare("VACUUM INTO ?")) {
      vacuum.setString(1, empty.toString());
      boolean _ = vacuum.execute();
    } catch (SQLException failed) {
      throw failed("copying it", failed);
    }
  }

  void cacheKib(int kib) {
    run("PRAGMA cache_size=-" + kib);
  }

  /// Gives the memory of the page cache back.
  void shrink() {
    run("PRAGMA shrink_memory");
  }

  void beginRead() {
    execute("BEGIN");
  }

  void beginWrite() {
    execute("BEGIN IMMEDIATE");
  }

  void commit() {
    execute("COMMIT");
  }

  /// Rolls back, if a transaction is open: SQLite itself ends it after some failures.
  void rollback() {
    try {
      statement("ROLLBACK").execute();
    } catch (SQLException failed) {
      ViewFailure _ = failed("rolling back", failed);
    }
  }

  private void execute(String sql) {
    try {
      boolean _ = statement(sql).execute();
    } catch (SQLException failed) {
      throw failed(sql, failed);
    }
  }

  /// Remembers a failure.
  ///
  /// @param doing what failed, for the message
  /// @return to be thrown
  ViewFailure failed(String doing, SQLException cause) {
    return failed(failure(file, doing, cause));
  }

  /// Remembers a failure.
  ///
  /// @return to be thrown
  ViewFailure failed(ViewException exception) {
    if (failure == null) {
      failure = exception;
    }
    return new ViewFailure(exception);
  }

  /// The first failure, or null.
  @Nullable ViewException failure() {
    return failure;
  }

  @Override
  public void close() {
    try {
      connection.close(); // and with it the statements
    } catch (SQLException failed) {
      // What it would have checkpointed is in the write-ahead log and is read at the next opening.
      ViewFailure _ = failed("closing it", failed);
    }
  }

  /// What a failure of SQLite means. The codes are those of https://sqlite.org/rescode.html.
  private static ViewException failure(Path file, String doing, SQLException cause) {
    int code = 0;
    boolean shortRead = false;
    if (cause instanceof SQLiteException sqlite) {
      code = sqlite.getResultCode().code & 0xFF;
      shortRead = sqlite.getResultCode() == SQLiteErrorCode.SQLITE_IOERR_SHORT_READ;
    }
    Kind kind =
        switch (code) {
          // ERROR: a statement does not fit the tables; CONSTRAINT: a row is there that must not be
          case 1, 11, 19, 20, 26 -> Kind.DAMAGED;
          default -> shortRead ? Kind.DAMAGED : Kind.UNAVAILABLE;
        };
    return new ViewException(kind, file + ": " + doing + ": " + cause.getMessage(), cause);
  }
}
