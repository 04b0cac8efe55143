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

/// The floor of durable storage: plain prepared inserts into the buffer's own table, through the
/// same driver, in WAL mode with `synchronous=FULL`, as many to a transaction as clients have in
/// flight.
final class SqliteInserts {
  private static final int TRANSACTION_RECORDS = 256;

  private final PreparedStatement insert;
  private final Connection connection;
  private long lastId;

  private SqliteInserts(Connection connection) throws SQLException {
    this.connection = connection;
    this.insert = connection.prepareStatement("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)");
  }

  private void insert(int records) throws SQLException {
    for (int i = 0; i < records; i++) {
      insert.setLong(1, ++lastId);
      insert.setLong(2, System.currentTimeMillis());
      insert.setString(3, Payloads.payload(0, lastId, Effort.RECORD_BYTES));
      insert.setString(4, "[\"p1\"]");
      insert.setString(5, "key-0");
      insert.setNull(6, Types.VARCHAR);
      insert.setLong(7, lastId);
      int _ = insert.executeUpdate();
      if ((i + 1) % TRANSACTION_RECORDS == 0) {
        connection.commit();
      }
    }
    connection.commit();
  }

  /// `SqliteInserts DIRECTORY WARM-UP RECORDS`: prints how many it stored a second.
  public static void main(String[] arguments) throws SQLException, IOException {
    Path file = Path.of(arguments[0], "floor.db");
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file)) {
      try (Statement statement = connection.createStatement();
          InputStream schema =
              Objects.requireNonNull(
                  SqliteInserts.class.getResourceAsStream("/sql/001_buffer.sql"))) {
        boolean _ = statement.execute("PRAGMA journal_mode=WAL");
        boolean _ = statement.execute("PRAGMA synchronous=FULL");
        int _ = statement.executeUpdate(new String(schema.readAllBytes(), StandardCharsets.UTF_8));
      }
      connection.setAutoCommit(false);
      SqliteInserts floor = new SqliteInserts(connection);
      floor.insert(Integer.parseInt(arguments[1]));
      int records = Integer.parseInt(arguments[2]);
      long start = System.nanoTime();
      floor.insert(records);
      System.out.println(records / ((System.nanoTime() - start) / 1e9));
    }
  }
}
