package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectedRange;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/// Applies a [RejectedRange] to the table `rejected`, within the writer's transactions.
///
/// Opened for the first batch: most agents never need it. Used by one thread at a time, as
/// [BufferWriter] is.
final class RejectedTable implements AutoCloseable {
  /// One transaction reads at most this many records, for which ingest waits about 20 ms.
  private static final int BATCH_RECORDS = 1_000;

  private static final long BATCH_BYTES = 1 << 20;

  private final PreparedStatement select;
  private final PreparedStatement delete;
  private final String bufferId;

  RejectedTable(Connection connection, String bufferId) throws SQLException {
    this.bufferId = bufferId;
    this.select =
        connection.prepareStatement(
            "SELECT "
                + RecordRow.COLUMNS
                + ", status FROM rejected WHERE id > ? AND id <= ? ORDER BY id LIMIT "
                + BATCH_RECORDS);
    this.delete = connection.prepareStatement("DELETE FROM rejected WHERE id = ?");
  }

  /// The records that one batch deleted from the table.
  ///
  /// @param throughId the last id that was read
  /// @param records the records that were deleted, in order
  /// @param damagedIds records that are not redriven, since their checksums do not match
  record Deleted(long throughId, List<PendingRecord> records, List<Long> damagedIds) {}

  /// Deletes the next records of `range`: damaged ones only if they are to be discarded.
  Deleted delete(RejectedRange range) throws SQLException {
    List<PendingRecord> deleted = new ArrayList<>();
    List<Long> damaged = new ArrayList<>();
    List<PendingRecord> records = new ArrayList<>();
    long throughId = read(range, records);
    for (PendingRecord record : records) {
      if (range.action() == RejectedRange.Action.DISCARD || record.sound()) {
        delete(record.id());
        deleted.add(record);
      } else {
        damaged.add(record.id());
      }
    }
    return new Deleted(throughId, deleted, damaged);
  }

  /// @param into receives the records that the range covers
  /// @return the last id that was read
  private long read(RejectedRange range, List<PendingRecord> into) throws SQLException {
    select.setLong(1, range.afterId());
    select.setLong(2, range.throughId());
    int seen = 0;
    long bytes = 0;
    long last = range.throughId();
    try (ResultSet rows = select.executeQuery()) {
      // The limits count the rows that are read, since few of them may match.
      while (bytes < BATCH_BYTES && rows.next()) {
        PendingRecord record = RecordRow.read(rows, bufferId);
        seen++;
        bytes += record.content().size();
        last = record.id();
        if (range.covers(record.id(), rows.getInt(8))) {
          into.add(record);
        }
      }
    }
    boolean more = seen == BATCH_RECORDS || bytes >= BATCH_BYTES;
    return more ? last : range.throughId();
  }

  private void delete(long id) throws SQLException {
    delete.setLong(1, id);
    if (delete.executeUpdate() != 1) {
      throw new SQLException("record " + id + " is not in the table rejected any more");
    }
  }

  @Override
  public void close() throws SQLException {
    select.close();
    delete.close();
  }
}
