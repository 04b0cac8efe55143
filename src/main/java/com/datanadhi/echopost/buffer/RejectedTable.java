package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectedBatch;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/// The table `rejected` as a [RejectedBatch] changes it, within the writer's transactions.
///
/// Opened for the first batch: most agents never need it. Used by one thread at a time, as
/// [BufferWriter] is.
final class RejectedTable implements AutoCloseable {
  /// What one transaction reads: ingest waits for it some 20 ms.
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
                + RecordRow.COLUMNS
                + ", status FROM rejected WHERE id > ? AND id <= ? ORDER BY id LIMIT "
                + SLICE_RECORDS);
    this.delete = connection.prepareStatement("DELETE FROM rejected WHERE id = ?");
  }

  /// What one slice deleted from the table.
  ///
  /// @param throughId the last id that was read
  /// @param deleted the records that were deleted, in order
  /// @param damagedIds records that are not redriven, since their checksums do not match
  record Slice(long throughId, List<PendingRecord> deleted, List<Long> damagedIds) {}

  /// Deletes the next records of `batch`: damaged ones only if they are to be discarded.
  Slice delete(RejectedBatch batch) throws SQLException {
    List<PendingRecord> deleted = new ArrayList<>();
    List<Long> damaged = new ArrayList<>();
    List<PendingRecord> records = new ArrayList<>();
    long throughId = read(batch, records);
    for (PendingRecord record : records) {
      if (batch.action() == RejectedBatch.Action.DISCARD || record.sound()) {
        delete(record.id());
        deleted.add(record);
      } else {
        damaged.add(record.id());
      }
    }
    return new Slice(throughId, deleted, damaged);
  }

  /// @param into receives the records that the batch covers
  /// @return the last id that was read
  private long read(RejectedBatch batch, List<PendingRecord> into) throws SQLException {
    select.setLong(1, batch.afterId());
    select.setLong(2, batch.throughId());
    int seen = 0;
    long bytes = 0;
    long last = batch.throughId();
    try (ResultSet rows = select.executeQuery()) {
      // Bounded by the rows that are read, since few of them may match.
      while (bytes < SLICE_BYTES && rows.next()) {
        PendingRecord record = RecordRow.read(rows, bufferId);
        seen++;
        bytes += record.content().size();
        last = record.id();
        if (batch.covers(record.id(), rows.getInt(8))) {
          into.add(record);
        }
      }
    }
    boolean more = seen == SLICE_RECORDS || bytes >= SLICE_BYTES;
    return more ? last : batch.throughId();
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
