package com.datanadhi.echopost.torture;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/// Checks a buffer's rejected records against the documented policy: by status and attempts.
final class RejectedRecords {
  private static final int ATTEMPTS_BEFORE_REJECTION = 5;

  private RejectedRecords() {}

  /// The number of rejected records; an agent may be running.
  static long count(Path directory) throws SQLException {
    try (Connection connection = open(directory);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT count(*) FROM rejected")) {
      return row.next() ? row.getLong(1) : 0;
    }
  }

  /// Gives `checker` each rejected record, and adds a violation for each that should not have been
  /// rejected. An ambiguous status needs several attempts: no server of these campaigns returns one
  /// for the two minutes after which a single attempt is enough.
  ///
  /// @return the number of rejected records
  static long check(String round, Path directory, DeliveryChecker checker, CampaignResult result)
      throws SQLException {
    long rejected = 0;
    if (!Files.exists(directory.resolve("buffer.db"))) {
      result.addViolation(round + ": there is no buffer");
      return rejected;
    }
    try (Connection connection = open(directory);
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT status, attempts, json_data FROM rejected")) {
      while (row.next()) {
        int status = row.getInt(1);
        int attempts = row.getInt(2);
        if (!canReject(status) || (isAmbiguous(status) && attempts < ATTEMPTS_BEFORE_REJECTION)) {
          result.addViolation(
              round + ": rejected for " + status + " after " + attempts + " attempts");
        }
        checker.rejected(row.getString(3));
        rejected++;
      }
    }
    return rejected;
  }

  private static Connection open(Path directory) throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("buffer.db"));
  }

  private static boolean isAmbiguous(int status) {
    return switch (status) {
      case 401, 403, 404, 405, 500 -> true;
      default -> status / 100 == 3;
    };
  }

  private static boolean canReject(int status) {
    return switch (status) {
      case 407, 408, 425, 429 -> false;
      case 500 -> true;
      default -> status >= 300 && status < 500;
    };
  }
}
