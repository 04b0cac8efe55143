package com.datanadhi.echopost.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/// What the quickstart prints: its steps as they happen, and a summary at the end.
final class Narration {
  private final StringBuilder summary = new StringBuilder();

  void step(String what) {
    System.out.println("\n" + what);
  }

  void detail(String text) {
    System.out.print(text.strip().indent(2));
  }

  void timeSince(String what, long startNanos) {
    time(what, System.nanoTime() - startNanos);
  }

  void time(String what, long nanos) {
    String seconds = String.format("%.2f s", nanos / 1e9);
    detail(what + ": " + seconds);
    row(what, seconds);
  }

  /// Adds a line to the summary.
  void row(String what, String value) {
    summary.append(String.format("%n  %-40s %s", what, value));
  }

  void end(boolean passed) {
    System.out.println(summary + System.lineSeparator());
    System.out.println(passed ? "All records were delivered." : "FAILED: see above.");
  }

  /// Prints the result of a query on a database, by the sqlite3 CLI if there is one.
  void query(Path database, String sql) throws IOException, InterruptedException, SQLException {
    try {
      Process cli =
          new ProcessBuilder("sqlite3", "-readonly", "-box", database.toString(), sql)
              .redirectErrorStream(true)
              .start();
      String output = new String(cli.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (cli.waitFor() == 0) {
        System.out.print(output.indent(2));
        return;
      }
    } catch (IOException noCli) {
      detail("(no sqlite3 on the PATH: read with the JDBC driver instead)");
    }
    try (Connection connection = open(database);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        StringBuilder line = new StringBuilder();
        for (int column = 1; column <= rows.getMetaData().getColumnCount(); column++) {
          line.append(rows.getMetaData().getColumnLabel(column))
              .append('=')
              .append(rows.getString(column))
              .append("  ");
        }
        detail(line.toString());
      }
    }
  }

  /// Opens a database for reading.
  static Connection open(Path database) throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:file:" + database + "?mode=ro");
  }

  /// The first value of the first row.
  static long number(Path database, String sql) throws SQLException {
    try (Connection connection = open(database);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? row.getLong(1) : -1;
    }
  }
}
