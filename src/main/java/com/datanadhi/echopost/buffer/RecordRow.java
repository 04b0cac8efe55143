package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.Checksum;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.PendingRecord;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/// The columns with which the rows of `records` and of `rejected` start.
final class RecordRow {
  static final String COLUMNS = "id, received_at, json_data, pipelines, api_key, origin, crc32c";

  /// The values of these columns as parameters, for [#bind].
  static final String VALUES =
      "?1, ?2, CAST(?3 AS TEXT), CAST(?4 AS TEXT), CAST(?5 AS TEXT), CAST(?6 AS TEXT), ?7";

  private RecordRow() {}

  /// Sets the parameters of [#VALUES].
  static void bind(PreparedStatement statement, long id, NewRecord content) throws SQLException {
    statement.setLong(1, id);
    statement.setLong(2, content.receivedAt());
    statement.setBytes(3, content.jsonData());
    statement.setBytes(4, content.pipelines());
    statement.setBytes(5, content.apiKey());
    statement.setBytes(6, content.origin());
    statement.setLong(7, Checksum.of(id, content));
  }

  /// Reads the current row of a query that selects [#COLUMNS] first.
  static PendingRecord read(ResultSet rows, String bufferId) throws SQLException {
    NewRecord content =
        new NewRecord(
            rows.getLong(2), bytes(rows, 3), bytes(rows, 4), bytes(rows, 5), rows.getBytes(6));
    return PendingRecord.of(rows.getLong(1), content, rows.getLong(7), bufferId);
  }

  private static byte[] bytes(ResultSet rows, int column) throws SQLException {
    byte[] value = rows.getBytes(column);
    return value == null ? new byte[0] : value;
  }
}
