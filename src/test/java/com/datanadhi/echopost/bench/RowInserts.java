package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;

/// Prepared inserts of records into the tables of a tenant's `canonical.db`, with the hub's driver
/// and settings: what the floors of applying and of restoring do. Not thread-safe.
final class RowInserts implements AutoCloseable {
  private static final Path SCHEMA = Path.of("hub/src/main/resources/sql/hub/canonical-001.sql");
  private static final int ROWS_PER_TRANSACTION = 8_000;
  private static final String DIGEST = "0123456789abcdef".repeat(4);

  private final Connection connection;
  private final PreparedStatement event;
  private final PreparedStatement applied;
  private int uncommitted;

  /// Makes the tables in a new file.
  RowInserts(Path file) throws SQLException, IOException {
    connection =
        DriverManager.getConnection("jdbc:sqlite:" + file + "?jdbc.get_generated_keys=false");
    try (Statement statement = connection.createStatement()) {
      boolean _ = statement.execute("PRAGMA journal_mode=WAL");
      boolean _ = statement.execute("PRAGMA synchronous=NORMAL");
      boolean _ = statement.execute("PRAGMA cache_size=-8192");
      int _ = statement.executeUpdate(Files.readString(SCHEMA));
    }
    connection.setAutoCommit(false);
    event = connection.prepareStatement("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?)");
    applied = connection.prepareStatement("INSERT INTO applied_events VALUES (?,?,?,?)");
  }

  /// A record that is a transaction by itself.
  record Row(
      long seq, String key, long receivedAt, String position, String pipelines, String logData) {}

  /// Inserts a record, and commits when there are many.
  void insert(Row row) throws SQLException {
    event.setLong(1, row.seq());
    event.setString(2, row.key());
    event.setInt(3, 1);
    event.setLong(4, row.receivedAt());
    event.setString(5, row.position());
    event.setString(6, row.pipelines());
    event.setString(7, row.logData());
    event.setString(8, DIGEST);
    event.setString(9, "fsync");
    int _ = event.executeUpdate();
    applied.setString(1, RunningHub.TENANT);
    applied.setString(2, row.key());
    applied.setString(
        3,
        "{\"seq\":"
            + row.seq()
            + ",\"records\":1,\"sha256\":\""
            + DIGEST
            + "\",\"pipelines_sha256\":\""
            + DIGEST
            + "\",\"position\":\""
            + row.position()
            + "\",\"durability\":\"fsync\"}");
    applied.setLong(4, row.receivedAt());
    int _ = applied.executeUpdate();
    if (++uncommitted == ROWS_PER_TRANSACTION) {
      commit();
    }
  }

  void commit() throws SQLException {
    connection.commit();
    uncommitted = 0;
  }

  /// Puts everything into the file itself, on stable storage.
  void checkpoint() throws SQLException {
    commit();
    connection.setAutoCommit(true);
    try (Statement statement = connection.createStatement()) {
      boolean _ = statement.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    connection.setAutoCommit(false);
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
