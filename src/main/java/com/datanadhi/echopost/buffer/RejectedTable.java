package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectedBatch;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/// The table `rejected` as a [RejectedBatch] needs it, within the writer's transactions and in its
/// thread. Made when an operator first asks: most agents never need it.
final class RejectedTable implements AutoCloseable {
  /// What one transaction looks at: ingest waits for it some 20 ms.
  private static final int SLICE_RECORDS = 1_000;

  private static final long SLICE_BYTES = 1 << 20;

  private final PreparedStatement select;
  private final PreparedStatement delete;
  private final String bufferId;

  RejectedTable(Connection connection, String bufferId) throws SQLException {
    this.bufferId = bufferId;
    this.select =
        connection.prepareStatement(
            "SELECT "
                + PendingReader.COLUMNS
                + ", status FROM rejected WHERE id > ? AND id <= ? ORDER BY id LIMIT "
                + SLICE_RECORDS);
    this.delete = connection.prepareStatement("DELETE FROM rejected WHERE id = ?");
  }

  /// What one slice is about.
  ///
  /// @param throughId how far was looked
  /// @param records those up to there that the sweep covers
  record Window(long throughId, List<PendingRecord> records) {}

  Window look(RejectedBatch sweep) throws SQLException {
    List<PendingRecord> records = new ArrayList<>();
    select.setLong(1, sweep.afterId());
    select.setLong(2, sweep.throughId());
    int seen = 0;
    long bytes = 0;
    long last = sweep.throughId();
    try (ResultSet rows = select.executeQuery()) {
      // Bounded by what is looked at, not by what is found: few may be meant among many.
      while (bytes < SLICE_BYTES && rows.next()) {
        PendingRecord record = PendingReader.record(rows, bufferId);
        seen++;
        bytes += record.content().size();
        last = record.id();
        if (sweep.covers(record.id(), rows.getInt(8))) {
          records.add(record);
        }
      }
    }
    boolean more = seen == SLICE_RECORDS || bytes >= SLICE_BYTES;
    return new Window(more ? last : sweep.throughId(), records);
  }

  void delete(long id) throws SQLException {
    delete.setLong(1, id);
    if (delete.executeUpdate() != 1) {
      throw new SQLException("record " + id + " is not there any more");
    }
  }

  @Override
  public void close() throws SQLException {
    select.close();
    delete.close();
  }
}
