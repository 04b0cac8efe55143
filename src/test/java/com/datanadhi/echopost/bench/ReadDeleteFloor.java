package com.datanadhi.echopost.bench;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/// The floor of replay in batches, as a program: a loop that reads the rows of a buffer as replay
/// does and deletes them, a thousand in a transaction, durably.
final class ReadDeleteFloor {
  private static final int ROWS = 1_000;
  private static final int COLUMNS = 7;

  private ReadDeleteFloor() {}

  /// `ReadDeleteFloor DIRECTORY`: prints the rows per second.
  public static void main(String[] arguments) throws SQLException {
    String url = "jdbc:sqlite:" + Path.of(arguments[0], "buffer.db");
    try (Connection writer = DriverManager.getConnection(url);
        Connection reader = DriverManager.getConnection(url);
        Statement settings = writer.createStatement()) {
      boolean _ = settings.execute("PRAGMA journal_mode=WAL");
      boolean _ = settings.execute("PRAGMA synchronous=FULL");
      writer.setAutoCommit(false);
      try (PreparedStatement select =
              reader.prepareStatement(
                  "SELECT id, received_at, json_data, pipelines, api_key, origin, crc32c FROM"
                      + " records WHERE id > ? ORDER BY id LIMIT "
                      + ROWS);
          PreparedStatement delete =
              writer.prepareStatement("DELETE FROM records WHERE id > ? AND id <= ?")) {
        System.out.println(perSecond(writer, select, delete));
      }
    }
  }

  private static double perSecond(
      Connection writer, PreparedStatement select, PreparedStatement delete) throws SQLException {
    long start = System.nanoTime();
    long rows = 0;
    long last = 0;
    while (true) {
      long through = read(select, last);
      if (through == last) {
        return rows / ((System.nanoTime() - start) / 1e9);
      }
      delete.setLong(1, last);
      delete.setLong(2, through);
      rows += delete.executeUpdate();
      writer.commit();
      last = through;
    }
  }

  private static long read(PreparedStatement select, long after) throws SQLException {
    select.setLong(1, after);
    long last = after;
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        last = row.getLong(1);
        long _ = row.getLong(2);
        for (int column = 3; column < COLUMNS; column++) {
          byte[] _ = row.getBytes(column);
        }
        long _ = row.getLong(COLUMNS);
      }
    }
    return last;
  }
}
