package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.salvage.PageImages;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import org.sqlite.SQLiteConfig;

/// Opens connections to the buffer's SQLite file.
final class Database {
  /// Older versions can corrupt a WAL database when two connections write or checkpoint at once
  /// (sqlite.org, 2026-03-13).
  private static final Runtime.Version OLDEST_SQLITE = Runtime.Version.parse("3.51.3");

  static final int PAGE_SIZE = PageImages.SIZE;
  private static final int MAX_CHECKPOINT_BYTES = 2 << 20;
  private static final int READER_LOCK_WAIT_MILLIS = 100;
  private static final int OPERATOR_LOCK_WAIT_MILLIS = 2_000;

  private Database() {}

  /// Opens the one connection that writes, and migrates the schema.
  static Connection openWriter(Path file, long walLimit, long lockWaitMillis)
      throws StorageException {
    return open(file, connection -> prepareWriter(connection, walLimit, lockWaitMillis));
  }

  /// Makes `connection` the one that writes, and migrates the schema.
  static void prepareWriter(Connection connection, long walLimit, long lockWaitMillis)
      throws StorageException {
    try {
      checkVersion(Sql.query(connection, "SELECT sqlite_version()"));
      boolean isNew = "0".equals(Sql.query(connection, "PRAGMA page_count"));
      if (isNew) {
        Sql.execute(connection, "PRAGMA page_size=" + PAGE_SIZE);
        Sql.execute(connection, "PRAGMA auto_vacuum=INCREMENTAL");
      } else if (!Schema.isEchoPostFile(connection)) {
        // A new file of EchoPost has no tables before its first commit.
        if (!"0".equals(Sql.query(connection, "SELECT count(*) FROM sqlite_schema"))) {
          throw new StorageException.Corrupted("buffer.db is another program's database");
        }
      }
      Sql.query(connection, "PRAGMA journal_mode=WAL");
      Sql.execute(connection, "PRAGMA synchronous=FULL");
      // On macOS an fsync alone stops at the disk's own cache; elsewhere this has no effect.
      Sql.execute(connection, "PRAGMA fullfsync=1");
      Sql.execute(connection, "PRAGMA busy_timeout=" + lockWaitMillis);
      // A checkpoint at half the limit leaves the other half for what is written while a reader
      // prevents one. Large volumes checkpoint earlier, since all records wait for it.
      Sql.execute(
          connection,
          "PRAGMA wal_autocheckpoint=" + Math.min(walLimit / 2, MAX_CHECKPOINT_BYTES) / PAGE_SIZE);
      Sql.execute(connection, "PRAGMA journal_size_limit=" + walLimit);
      Sql.execute(connection, "PRAGMA cache_size=-1000");
      Sql.execute(connection, "PRAGMA temp_store=MEMORY");
      Schema.migrate(connection);
    } catch (SQLException failed) {
      throw SqliteFailure.ofOpening(failed);
    }
  }

  /// Opens a connection of the agent that only reads.
  static Connection openReader(Path file) throws StorageException {
    return open(
        file,
        connection -> {
          Sql.execute(connection, "PRAGMA query_only=1");
          Sql.execute(connection, "PRAGMA busy_timeout=" + READER_LOCK_WAIT_MILLIS);
          Sql.execute(connection, "PRAGMA cache_size=-1000");
        });
  }

  /// Opens a connection that cannot write, for an operator's command beside the agent.
  static Connection openReadOnly(Path file) throws StorageException {
    SQLiteConfig config = config();
    config.setReadOnly(true);
    return open(
        file,
        config,
        connection -> {
          Sql.execute(connection, "PRAGMA busy_timeout=" + OPERATOR_LOCK_WAIT_MILLIS);
          Sql.execute(connection, "PRAGMA cache_size=-1000");
          if (!Schema.isEchoPostFile(connection)) {
            throw new StorageException(file + " is not a buffer of EchoPost");
          }
          Schema.checkReadable(connection, file);
        });
  }

  private interface Setup {
    void apply(Connection connection) throws SQLException, StorageException;
  }

  private static Connection open(Path file, Setup setup) throws StorageException {
    return open(file, config(), setup);
  }

  private static Connection open(Path file, SQLiteConfig config, Setup setup)
      throws StorageException {
    Connection connection = connect(file, config);
    try {
      setup.apply(connection);
      return connection;
    } catch (SQLException | StorageException failed) {
      SqliteFailure.closeAfter(failed, connection);
      throw failed instanceof SQLException sql
          ? SqliteFailure.ofOpening(sql)
          : (StorageException) failed;
    }
  }

  /// Opens a connection without settings.
  static Connection connect(Path file) throws StorageException {
    return connect(file, config());
  }

  private static SQLiteConfig config() {
    SQLiteConfig config = new SQLiteConfig();
    // Otherwise the driver queries the generated key after each INSERT and leaves that query open,
    // and VACUUM fails while a query is open.
    config.setGetGeneratedKeys(false);
    return config;
  }

  private static Connection connect(Path file, SQLiteConfig config) throws StorageException {
    if (file.toFile().length() == 0 && Files.exists(DirectoryLayout.wal(file))) {
      // SQLite would delete the log, even for a reader.
      throw new StorageException.Corrupted(
          "buffer.db is empty, and was not: start an agent, which salvages what its log holds");
    }
    NativeLibrary.load();
    try {
      // The path is given as a URI, since the driver takes what follows a '?' in a path for
      // settings.
      return config.createConnection("jdbc:sqlite:" + file.toAbsolutePath().toUri());
    } catch (SQLException failed) {
      throw SqliteFailure.of("opening buffer.db", failed);
    }
  }

  private static void checkVersion(String version) throws StorageException {
    if (Runtime.Version.parse(version).compareTo(OLDEST_SQLITE) < 0) {
      throw new StorageException(
          "SQLite "
              + version
              + " can corrupt a WAL database: build with "
              + OLDEST_SQLITE
              + " or later");
    }
  }
}
