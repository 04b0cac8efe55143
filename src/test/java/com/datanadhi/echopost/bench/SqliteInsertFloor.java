package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.Payloads;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.Objects;

/// The floor of durable storage, as a program: prepared inserts into the buffer's table with the
/// agent's driver, in WAL mode with `synchronous=FULL`. A transaction has as many inserts as
/// clients have calls in flight.
final class SqliteInsertFloor {
  private static final int RECORDS_PER_TRANSACTION = 256;

  private final PreparedStatement insert;
  private final Connection connection;
  private long lastId;

  private SqliteInsertFloor(Connection connection) throws SQLException {
    this.connection = connection;
    this.insert = connection.prepareStatement("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)");
  }

  private void insert(int records) throws SQLException {
    for (int i = 0; i < records; i++) {
      insert.setLong(1, ++lastId);
      insert.setLong(2, System.currentTimeMillis());
      insert.setString(3, Payloads.payload(0, lastId, RunSize.RECORD_BYTES));
      insert.setString(4, "[\"p1\"]");
      insert.setString(5, "key-0");
      insert.setNull(6, Types.VARCHAR);
      insert.setLong(7, lastId);
      int _ = insert.executeUpdate();
      if ((i + 1) % RECORDS_PER_TRANSACTION == 0) {
        connection.commit();
      }
    }
    connection.commit();
  }

  /// `SqliteInserts DIRECTORY WARM-UP RECORDS`: prints the inserts per second.
  public static void main(String[] arguments) throws SQLException, IOException {
    Path file = Path.of(arguments[0], "floor.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file)) {
      try (Statement statement = connection.createStatement();
          InputStream schema =
              Objects.requireNonNull(
                  SqliteInsertFloor.class.getResourceAsStream("/sql/001_buffer.sql"))) {
        boolean _ = statement.execute("PRAGMA journal_mode=WAL");
        boolean _ = statement.execute("PRAGMA synchronous=FULL");
        int _ = statement.executeUpdate(new String(schema.readAllBytes(), StandardCharsets.UTF_8));
      }
      connection.setAutoCommit(false);
      SqliteInsertFloor floor = new SqliteInsertFloor(connection);
      floor.insert(Integer.parseInt(arguments[1]));
      int records = Integer.parseInt(arguments[2]);
      long start = System.nanoTime();
      floor.insert(records);
      System.out.println(records / ((System.nanoTime() - start) / 1e9));
    }
  }
}
