package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.StorageException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/// Reads pending records in replay order, in short transactions that do not block checkpoints for
/// long. Used by one thread at a time.
final class PendingQuery implements AutoCloseable {
  private final Connection connection;
  private final PreparedStatement select;
  private final String bufferId;

  private PendingQuery(Connection connection, String bufferId) throws SQLException {
    this.connection = connection;
    this.bufferId = bufferId;
    this.select =
        connection.prepareStatement(
            "SELECT "
                + RecordRow.COLUMNS
                + " FROM records WHERE id > ? AND id <= ? ORDER BY id LIMIT ?");
  }

  static PendingQuery open(Path file, String bufferId) throws StorageException {
    Connection connection = Database.openReader(file);
    try {
      return new PendingQuery(connection, bufferId);
    } catch (SQLException failed) {
      throw SqliteFailure.of("preparing to read", failed);
    }
  }

  /// The records after the id `after`: at most `maxRecords`, and none after `maxBytes` are reached.
  ///
  /// @param through the newest id that was assigned; a row beyond it is damage, and would hide
  ///   later records
  List<PendingRecord> read(long after, long through, int maxRecords, long maxBytes)
      throws SQLException {
    List<PendingRecord> batch = new ArrayList<>(Math.min(maxRecords, 256));
    select.setLong(1, after);
    select.setLong(2, through);
    select.setInt(3, maxRecords);
    long bytes = 0;
    try (ResultSet rows = select.executeQuery()) {
      while (bytes < maxBytes && rows.next()) {
        PendingRecord record = RecordRow.read(rows, bufferId);
        batch.add(record);
        bytes += record.content().size();
      }
    }
    return batch;
  }

  /// Runs SQLite's quick check, which reads the whole file.
  ///
  /// @throws StorageException.Corrupted when the file is damaged
  void check() throws SQLException, StorageException {
    String found = Sql.query(connection, "PRAGMA quick_check(1)");
    if (!found.equals("ok")) {
      throw new StorageException.Corrupted("buffer.db is damaged: " + found);
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
