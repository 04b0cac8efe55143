package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/// The tables of a buffer: recognizes them, and migrates those of an older version.
final class Schema {
  /// "Echo" in ASCII: marks our files (see `PRAGMA application_id`).
  private static final int APPLICATION_ID = 0x4563686F;

  /// The migrations in `sql/`, in order; the position in this list, from 1, is the schema version.
  private static final List<String> MIGRATIONS =
      List.of("001_buffer.sql", "002_discarded.sql", "003_salvage.sql", "004_imported.sql");

  private Schema() {}

  /// Whether EchoPost made the file.
  static boolean isEchoPostFile(Connection connection) throws SQLException {
    return Integer.toString(APPLICATION_ID).equals(Sql.query(connection, "PRAGMA application_id"));
  }

  /// Whether the file has the tables of a buffer. Writes nothing.
  static boolean hasTables(Connection connection) throws SQLException {
    return !"0"
        .equals(Sql.query(connection, "SELECT count(*) FROM sqlite_schema WHERE name='meta'"));
  }

  /// Checks that this version can read the tables as they are.
  static void checkReadable(Connection connection, Path file)
      throws SQLException, StorageException {
    int version = version(connection);
    checkNotNewer(version);
    if (version < MIGRATIONS.size()) {
      throw new StorageException(
          file
              + " has the schema of an older EchoPost (schema "
              + version
              + ", this version has "
              + MIGRATIONS.size()
              + "): start an agent of this version, which migrates it, or use the older version");
    }
  }

  /// Brings the schema up to date, in one transaction.
  static void migrate(Connection connection) throws SQLException, StorageException {
    boolean isNew = !hasTables(connection);
    if (isNew && Long.parseLong(Sql.query(connection, "PRAGMA page_count")) > 1) {
      // Before the first commit a file has at most one page.
      throw new StorageException.Corrupted("buffer.db has lost its schema");
    }
    int version = isNew ? 0 : version(connection);
    checkNotNewer(version);
    if (version == MIGRATIONS.size()) {
      return;
    }
    Sql.execute(connection, "BEGIN IMMEDIATE");
    try {
      for (int next = version + 1; next <= MIGRATIONS.size(); next++) {
        runScript(connection, MIGRATIONS.get(next - 1));
        if (next == 1) {
          Sql.execute(connection, "PRAGMA application_id=" + APPLICATION_ID);
          Sql.execute(
              connection,
              "INSERT INTO meta VALUES (1, '" + RandomId.create() + "', 1, 0, 0, 0, 0)");
        }
      }
      Sql.execute(connection, "UPDATE meta SET schema_version=" + MIGRATIONS.size());
      Sql.execute(connection, "COMMIT");
    } catch (SQLException failed) {
      try {
        Sql.execute(connection, "ROLLBACK");
      } catch (SQLException alsoFailed) {
        failed.addSuppressed(alsoFailed);
      }
      throw failed;
    }
  }

  private static int version(Connection connection) throws SQLException, StorageException {
    try {
      return Integer.parseInt(Sql.query(connection, "SELECT schema_version FROM meta"));
    } catch (NumberFormatException noRow) {
      throw new StorageException.Corrupted("buffer.db has no ledger", noRow);
    }
  }

  private static void checkNotNewer(int version) throws StorageException {
    if (version > MIGRATIONS.size()) {
      throw new StorageException(
          "buffer.db was written by a newer EchoPost (schema "
              + version
              + ", this version has "
              + MIGRATIONS.size()
              + "): start that version or a later one");
    }
  }

  private static void runScript(Connection connection, String name) throws SQLException {
    try (InputStream in = Schema.class.getResourceAsStream("/sql/" + name);
        Statement statement = connection.createStatement()) {
      if (in == null) {
        throw new IllegalStateException("this build does not contain sql/" + name);
      }
      int _ = statement.executeUpdate(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
