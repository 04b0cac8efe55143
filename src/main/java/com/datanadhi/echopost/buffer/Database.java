package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.salvage.PageImages;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.UUID;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/// Opens connections to the buffer's SQLite file as the agent needs them, and brings its schema up
/// to date.
public final class Database {
  /// "Echo" in ASCII: tells our files from other programs' (see `PRAGMA application_id`).
  private static final int APPLICATION_ID = 0x4563686F;

  /// Older ones can corrupt a WAL database that two connections write or checkpoint (sqlite.org,
  /// 2026-03-13).
  private static final Runtime.Version OLDEST_SQLITE = Runtime.Version.parse("3.51.3");

  static final int PAGE_SIZE = PageImages.SIZE;
  private static final int LARGEST_CHECKPOINT = 2 << 20;
  private static final int READER_PATIENCE_MILLIS = 100;
  private static final int OPERATOR_PATIENCE_MILLIS = 2_000;

  /// The migrations in `sql/`, in order; the place in this list is the schema version.
  private static final List<String> MIGRATIONS =
      List.of("001_buffer.sql", "002_discarded.sql", "003_salvage.sql", "004_imported.sql");

  private Database() {}

  /// The one connection that writes, its schema up to date.
  static Connection openWriter(Path file, long walBound, long writerPatienceMillis)
      throws StorageException {
    return open(file, connection -> prepareWriter(connection, walBound, writerPatienceMillis));
  }

  /// Makes a connection the one that writes, its schema up to date.
  static void prepareWriter(Connection connection, long walBound, long writerPatienceMillis)
      throws StorageException {
    try {
      checkVersion(query(connection, "SELECT sqlite_version()"));
      boolean isNew = "0".equals(query(connection, "PRAGMA page_count"));
      if (isNew) {
        execute(connection, "PRAGMA page_size=" + PAGE_SIZE);
        execute(connection, "PRAGMA auto_vacuum=INCREMENTAL");
      } else if (!isOurs(connection)) {
        // A file of ours that never got its first commit has no tables either.
        if (!"0".equals(query(connection, "SELECT count(*) FROM sqlite_schema"))) {
          throw new StorageException.Corrupted("buffer.db is another program's database");
        }
      }
      query(connection, "PRAGMA journal_mode=WAL");
      execute(connection, "PRAGMA synchronous=FULL");
      // On macOS an fsync stops at the disk's own cache; elsewhere this says nothing.
      execute(connection, "PRAGMA fullfsync=1");
      execute(connection, "PRAGMA busy_timeout=" + writerPatienceMillis);
      // A checkpoint at half the bound leaves the other half for what is written while a reader
      // is at work; earlier, where that is much, since all records wait while it lasts.
      execute(
          connection,
          "PRAGMA wal_autocheckpoint=" + Math.min(walBound / 2, LARGEST_CHECKPOINT) / PAGE_SIZE);
      execute(connection, "PRAGMA journal_size_limit=" + walBound);
      execute(connection, "PRAGMA cache_size=-1000");
      execute(connection, "PRAGMA temp_store=MEMORY");
      migrate(connection);
    } catch (SQLException failed) {
      throw openingFailure(failed);
    }
  }

  /// While opening, a statement that makes no sense to SQLite means that the schema is damaged.
  static StorageException openingFailure(SQLException failed) {
    StorageException kind = failure("opening buffer.db", failed);
    return resultCode(failed) == 1
        ? new StorageException.Corrupted(String.valueOf(kind.getMessage()), failed)
        : kind;
  }

  /// SQLite's primary result code; 0 where it was not SQLite that failed.
  static int resultCode(SQLException failed) {
    return failed instanceof SQLiteException sqlite ? sqlite.getResultCode().code & 0xFF : 0;
  }

  /// A connection that only reads.
  static Connection openReader(Path file) throws StorageException {
    return open(
        file,
        connection -> {
          execute(connection, "PRAGMA query_only=1");
          execute(connection, "PRAGMA busy_timeout=" + READER_PATIENCE_MILLIS);
          execute(connection, "PRAGMA cache_size=-1000");
        });
  }

  /// A connection that cannot write, for somebody beside the agent.
  static Connection openReadOnly(Path file) throws StorageException {
    SQLiteConfig config = config();
    config.setReadOnly(true);
    return open(
        file,
        config,
        connection -> {
          execute(connection, "PRAGMA busy_timeout=" + OPERATOR_PATIENCE_MILLIS);
          execute(connection, "PRAGMA cache_size=-1000");
          if (!isOurs(connection)) {
            throw new StorageException(file + " is no buffer of EchoPost");
          }
          int version = schemaVersion(connection);
          checkKnown(version);
          if (version < MIGRATIONS.size()) {
            throw new StorageException(
                file
                    + " is as an older EchoPost left it (schema "
                    + version
                    + ", this one has "
                    + MIGRATIONS.size()
                    + "): an agent of this version brings it up to date when it starts; or look at"
                    + " it with the older version");
          }
        });
  }

  private static boolean isOurs(Connection connection) throws SQLException {
    return Integer.toString(APPLICATION_ID).equals(query(connection, "PRAGMA application_id"));
  }

  /// What SQLite reported, as the kind of failure that it is.
  static StorageException failure(String doing, SQLException failed) {
    String message = "the buffer failed while " + doing + ": " + failed.getMessage();
    if (failed instanceof SQLiteException sqlite
        && sqlite.getResultCode() == SQLiteErrorCode.SQLITE_IOERR_SHORT_READ) {
      // No device's error: the file ends before the page.
      return new StorageException.Corrupted(message, failed);
    }
    return switch (resultCode(failed)) {
      case 13 -> new StorageException.Full(failed);
      case 5, 6 -> new StorageException.Busy(failed);
      case 11, 26 -> new StorageException.Corrupted(message, failed);
      default -> new StorageException(message, failed);
    };
  }

  static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      boolean _ = statement.execute(sql);
    }
  }

  /// The first column of the first row, as text.
  static String query(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? String.valueOf(row.getString(1)) : "";
    }
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
      closeAfter(failed, connection);
      throw failed instanceof SQLException sql ? openingFailure(sql) : (StorageException) failed;
    }
  }

  /// A connection as it comes.
  static Connection connect(Path file) throws StorageException {
    return connect(file, config());
  }

  private static SQLiteConfig config() {
    SQLiteConfig config = new SQLiteConfig();
    // Else the driver asks after each INSERT for the key that it made, and leaves that query open,
    // beside which VACUUM refuses to run.
    config.setGetGeneratedKeys(false);
    return config;
  }

  private static Connection connect(Path file, SQLiteConfig config) throws StorageException {
    if (file.toFile().length() == 0 && Files.exists(DirectoryLayout.wal(file))) {
      // SQLite would delete the log, even for who only reads.
      throw new StorageException.Corrupted(
          "buffer.db is empty, and was not: start an agent, which salvages what its log holds");
    }
    NativeLibrary.load();
    try {
      // As a URI, since the driver takes what follows a '?' in a plain name for settings.
      return config.createConnection("jdbc:sqlite:" + file.toAbsolutePath().toUri());
    } catch (SQLException failed) {
      throw failure("opening buffer.db", failed);
    }
  }

  /// Whether it has our tables. Writes nothing.
  static boolean hasTables(Connection connection) throws SQLException {
    return !"0".equals(query(connection, "SELECT count(*) FROM sqlite_schema WHERE name='meta'"));
  }

  static void closeAfter(Exception failure, AutoCloseable connection) {
    try {
      connection.close();
    } catch (Exception alsoFailed) {
      failure.addSuppressed(alsoFailed);
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

  private static void migrate(Connection connection) throws SQLException, StorageException {
    boolean isNew = !hasTables(connection);
    if (isNew && Long.parseLong(query(connection, "PRAGMA page_count")) > 1) {
      // Not even a first commit leaves more than a page without tables.
      throw new StorageException.Corrupted("buffer.db has lost its schema");
    }
    int version = isNew ? 0 : schemaVersion(connection);
    checkKnown(version);
    if (version == MIGRATIONS.size()) {
      return;
    }
    execute(connection, "BEGIN IMMEDIATE");
    try {
      for (int next = version + 1; next <= MIGRATIONS.size(); next++) {
        runScript(connection, MIGRATIONS.get(next - 1));
        if (next == 1) {
          execute(connection, "PRAGMA application_id=" + APPLICATION_ID);
          execute(
              connection,
              "INSERT INTO meta VALUES (1, '" + newId(connection) + "', 1, 0, 0, 0, 0)");
        }
      }
      execute(connection, "UPDATE meta SET schema_version=" + MIGRATIONS.size());
      execute(connection, "COMMIT");
    } catch (SQLException failed) {
      try {
        execute(connection, "ROLLBACK");
      } catch (SQLException alsoFailed) {
        failed.addSuppressed(alsoFailed);
      }
      throw failed;
    }
  }

  /// A random UUID (RFC 9562, version 4). SQLite's own generator is seeded by the system's; Java's
  /// would first set up all of its cryptography, 9 ms of each first start.
  private static String newId(Connection connection) throws SQLException {
    String random = query(connection, "SELECT hex(randomblob(16))");
    long high = Long.parseUnsignedLong(random, 0, 16, 16);
    long low = Long.parseUnsignedLong(random, 16, 32, 16);
    return new UUID((high & ~0xF000L) | 0x4000L, (low & ~(3L << 62)) | (1L << 63)).toString();
  }

  private static int schemaVersion(Connection connection) throws SQLException, StorageException {
    try {
      return Integer.parseInt(query(connection, "SELECT schema_version FROM meta"));
    } catch (NumberFormatException noRow) {
      throw new StorageException.Corrupted("buffer.db has no ledger", noRow);
    }
  }

  private static void checkKnown(int version) throws StorageException {
    if (version > MIGRATIONS.size()) {
      throw new StorageException(
          "buffer.db was written by a newer EchoPost (schema "
              + version
              + ", this one knows "
              + MIGRATIONS.size()
              + "): start that version, or a later one");
    }
  }

  private static void runScript(Connection connection, String name) throws SQLException {
    try (InputStream in = Database.class.getResourceAsStream("/sql/" + name);
        Statement statement = connection.createStatement()) {
      if (in == null) {
        throw new IllegalStateException("this build carries no sql/" + name);
      }
      int _ = statement.executeUpdate(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
