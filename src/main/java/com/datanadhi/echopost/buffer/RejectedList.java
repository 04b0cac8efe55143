package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.StorageException;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/// The rows of the table `rejected` for an operator, in the order of rejection. They are read page
/// by page, so that neither memory nor the write-ahead log grows with their number.
///
/// Only reads, with or without a running agent. Confined to one thread.
public final class RejectedList implements AutoCloseable {
  private static final int PAGE_RECORDS = 500;
  private static final int PREVIEW_CHARS = 60;

  /// A rejected record without its API key.
  ///
  /// @param id its place in the order of rejection
  /// @param status the HTTP status of the last response, 0 for a damaged record (its checksum does
  ///   not match)
  /// @param attempts how many deliveries were attempted
  /// @param rejectedAt UTC, milliseconds since 1970
  /// @param bytes the payload's size
  /// @param start the payload's first 60 characters
  public record Summary(
      long id, int status, int attempts, long rejectedAt, long bytes, String start) {}

  private final BufferView view;
  private final PreparedStatement page;

  private RejectedList(BufferView view) throws SQLException {
    this.view = view;
    this.page =
        view.connection()
            .prepareStatement(
                "SELECT id, status, attempts, rejected_at, octet_length(json_data),"
                    + " substr(json_data, 1, "
                    + PREVIEW_CHARS
                    + ") FROM rejected WHERE id > ? ORDER BY id LIMIT "
                    + PAGE_RECORDS);
  }

  /// Opens the buffer in `directory`.
  ///
  /// @throws StorageException when there is no buffer, or it cannot be read
  public static RejectedList open(Path directory) throws StorageException {
    BufferView view = BufferView.open(directory);
    try {
      return new RejectedList(view);
    } catch (SQLException failed) {
      StorageException why = SqliteFailure.of("reading", failed);
      SqliteFailure.closeAfter(why, view);
      throw why;
    }
  }

  /// The next 500 records after `id`, or fewer at the end.
  ///
  /// @throws StorageException when the file cannot be read
  public List<Summary> after(long id) throws StorageException {
    List<Summary> entries = new ArrayList<>(PAGE_RECORDS);
    try {
      page.setLong(1, id);
      try (ResultSet rows = page.executeQuery()) {
        while (rows.next()) {
          entries.add(
              new Summary(
                  rows.getLong(1),
                  rows.getInt(2),
                  rows.getInt(3),
                  rows.getLong(4),
                  rows.getLong(5),
                  String.valueOf(rows.getString(6))));
        }
      }
      return entries;
    } catch (SQLException failed) {
      throw SqliteFailure.of("reading", failed);
    }
  }

  /// The id of the record that was rejected last, 0 when there is none.
  ///
  /// @throws StorageException when the file cannot be read
  public long lastId() throws StorageException {
    try {
      return Long.parseLong(
          Sql.query(view.connection(), "SELECT coalesce(max(id), 0) FROM rejected"));
    } catch (SQLException failed) {
      throw SqliteFailure.of("reading", failed);
    }
  }

  @Override
  public void close() throws StorageException {
    view.close();
  }
}
