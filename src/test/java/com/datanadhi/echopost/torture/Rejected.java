package com.datanadhi.echopost.torture;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/// Looks at a buffer's rejected records, each by the policy of the README.
final class Rejected {
  private static final int ATTEMPTS_IN_DOUBT = 5;

  private Rejected() {}

  /// How many there are; also beside a living agent.
  static long count(Path directory) throws SQLException {
    try (Connection connection = open(directory);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT count(*) FROM rejected")) {
      return row.next() ? row.getLong(1) : 0;
    }
  }

  /// Tells `witness` of each, and `tally` of each that should not be there. No server that it knows
  /// gave one doubtful answer for two minutes: so each such record had its attempts.
  ///
  /// @return how many there are
  static long check(String round, Path directory, Witness witness, Tally tally)
      throws SQLException {
    long rejected = 0;
    if (!Files.exists(directory.resolve("buffer.db"))) {
      tally.broken(round + ": there is no buffer");
      return rejected;
    }
    try (Connection connection = open(directory);
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT status, attempts, json_data FROM rejected")) {
      while (row.next()) {
        int status = row.getInt(1);
        int attempts = row.getInt(2);
        if (!isForTheRecord(status) || (isDoubtful(status) && attempts < ATTEMPTS_IN_DOUBT)) {
          tally.broken(round + ": rejected for " + status + " after " + attempts + " attempts");
        }
        witness.rejected(row.getString(3));
        rejected++;
      }
    }
    return rejected;
  }

  private static Connection open(Path directory) throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("buffer.db"));
  }

  private static boolean isDoubtful(int status) {
    return switch (status) {
      case 401, 403, 404, 405, 500 -> true;
      default -> status / 100 == 3;
    };
  }

  private static boolean isForTheRecord(int status) {
    return switch (status) {
      case 407, 408, 425, 429 -> false;
      case 500 -> true;
      default -> status >= 300 && status < 500;
    };
  }
}
