package com.datanadhi.echopost.buffer;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/// Sums the payload sizes of pending records, in short ranges of ids. Confined to one thread.
final class PayloadSize {
  private static final int RANGE_ROWS = 2_000;
  private static final int SAMPLES = 50;

  private final Connection connection;
  private long rows;
  private long bytes;

  PayloadSize(Connection connection) {
    this.connection = connection;
  }

  /// Adds every record from id `first` to `last`.
  void addAll(long first, long last) throws SQLException {
    for (long id = first - 1; id < last; ) {
      id = addRange(id, last);
    }
  }

  /// Adds 50 ranges, evenly spread from id `first` to `last`.
  void addSamples(long first, long last) throws SQLException {
    for (long sample = 0; sample < SAMPLES; sample++) {
      long _ = addRange(first - 1 + (last - first) / SAMPLES * sample, last);
    }
  }

  /// Adds the next 2,000 records after `after`.
  ///
  /// @return the last id that was added, or `through` when there are no more
  private long addRange(long after, long through) throws SQLException {
    try (PreparedStatement range =
        connection.prepareStatement(
            "SELECT count(*), sum(size), max(id) FROM (SELECT id, octet_length(json_data) AS size"
                + " FROM records WHERE id > ? ORDER BY id LIMIT "
                + RANGE_ROWS
                + ")")) {
      range.setLong(1, after);
      try (ResultSet counted = range.executeQuery()) {
        boolean _ = counted.next();
        rows += counted.getLong(1);
        bytes += counted.getLong(2);
        return counted.getLong(1) < RANGE_ROWS ? through : counted.getLong(3);
      }
    }
  }

  /// The sum of the payload sizes.
  long bytes() {
    return bytes;
  }

  /// The mean payload size; 0 without records.
  double mean() {
    return rows == 0 ? 0 : (double) bytes / rows;
  }
}
