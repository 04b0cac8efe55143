package com.datanadhi.echopost.buffer;

import java.nio.file.Path;
import java.sql.SQLException;

/// Thousands of rejected records, faster than through a server.
public final class Rejections {
  private Rejections() {}

  /// Moves all pending records of the buffer in `directory` to `rejected`, as an agent does one by
  /// one. No agent may run there.
  public static void rejectAll(Path directory, int status) throws SQLException {
    try (Sqlite sqlite = new Sqlite(directory)) {
      sqlite.execute("BEGIN IMMEDIATE");
      sqlite.execute("INSERT INTO rejected SELECT *, " + status + ", 'no', 7, 1 FROM records");
      sqlite.execute(
          "UPDATE meta SET rejected = rejected + (SELECT count(*) FROM records),"
              + " settled_through = (SELECT seq FROM sqlite_sequence WHERE name = 'records')");
      sqlite.execute("DELETE FROM records");
      sqlite.execute("COMMIT");
    }
  }
}
