package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;

/// The floor of applying, as a program: prepared inserts of the same rows into the same tables,
/// with the hub's driver and settings.
final class RowInsertFloor {
  private static final Path SCHEMA = Path.of("hub/src/main/resources/sql/hub/canonical-001.sql");
  private static final int ROWS_PER_TRANSACTION = 8_000;
  private static final String DIGEST = "0123456789abcdef".repeat(4);

  private RowInsertFloor() {}

  /// `RowInsertFloor DIRECTORY WARM-UP ROWS`: prints the rows per second, and the CPU time per row
  /// in microseconds.
  public static void main(String[] arguments) throws SQLException, IOException {
    Path file = Path.of(arguments[0], "floor.db");
    String source = UUID.randomUUID().toString();
    try (Connection connection =
        DriverManager.getConnection("jdbc:sqlite:" + file + "?jdbc.get_generated_keys=false")) {
      try (Statement statement = connection.createStatement()) {
        boolean _ = statement.execute("PRAGMA journal_mode=WAL");
        boolean _ = statement.execute("PRAGMA synchronous=NORMAL");
        boolean _ = statement.execute("PRAGMA cache_size=-8192");
        int _ = statement.executeUpdate(Files.readString(SCHEMA));
      }
      connection.setAutoCommit(false);
      try (PreparedStatement event =
              connection.prepareStatement("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?)");
          PreparedStatement applied =
              connection.prepareStatement("INSERT INTO applied_events VALUES (?,?,?,?)")) {
        int warmUp = Integer.parseInt(arguments[1]);
        int rows = Integer.parseInt(arguments[2]);
        insert(connection, event, applied, source, 1, warmUp);
        CpuTime cpuTime = CpuTime.of(ProcessHandle.current());
        long start = System.nanoTime();
        insert(connection, event, applied, source, warmUp + 1, rows);
        System.out.println(rows / ((System.nanoTime() - start) / 1e9));
        System.out.println(cpuTime.microsPerRecord(rows));
      }
    }
  }

  private static void insert(
      Connection connection,
      PreparedStatement event,
      PreparedStatement applied,
      String source,
      int first,
      int rows)
      throws SQLException {
    String logData = "{\"message\":\"" + "x".repeat(HubRequests.RECORD_BYTES - 14) + "\"}";
    for (int seq = first; seq < first + rows; seq++) {
      String key = source + "-" + (1_000_000_000L + seq);
      String position = "01234567/events-0:" + seq;
      event.setLong(1, seq);
      event.setString(2, key);
      event.setInt(3, 1);
      event.setLong(4, 1_700_000_000_000L + seq);
      event.setString(5, position);
      event.setString(6, "[\"p1\"]");
      event.setString(7, logData);
      event.setString(8, DIGEST);
      event.setString(9, "fsync");
      int _ = event.executeUpdate();
      applied.setString(1, RunningHub.TENANT);
      applied.setString(2, key);
      applied.setString(
          3,
          "{\"seq\":"
              + seq
              + ",\"records\":1,\"sha256\":\""
              + DIGEST
              + "\",\"pipelines_sha256\":\""
              + DIGEST
              + "\",\"position\":\""
              + position
              + "\",\"durability\":\"fsync\"}");
      applied.setLong(4, 1_700_000_000_000L + seq);
      int _ = applied.executeUpdate();
      if (seq % ROWS_PER_TRANSACTION == 0) {
        connection.commit();
      }
    }
    connection.commit();
  }
}
