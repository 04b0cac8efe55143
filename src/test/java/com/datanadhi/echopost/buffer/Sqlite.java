package com.datanadhi.echopost.buffer;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

/// A connection of another program to a buffer's file, as the command sqlite3 opens it.
public final class Sqlite implements AutoCloseable {
  private final Connection connection;

  /// Opens `buffer.db` in `directory`.
  public Sqlite(Path directory) throws SQLException {
    this(directory, "buffer.db");
  }

  /// Opens the file `name` in `directory`, and creates it if it is missing.
  public Sqlite(Path directory, String name) throws SQLException {
    connection = DriverManager.getConnection("jdbc:sqlite:" + directory.resolve(name));
  }

  /// The first column of the first row.
  public String query(String sql) throws SQLException {
    return Sql.query(connection, sql);
  }

  /// Runs a statement that yields no rows.
  public void execute(String sql) throws SQLException {
    Sql.execute(connection, sql);
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
