package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectionDetails;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.salvage.Watermark;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A read-only view of the buffer for an operator, with or without a running agent.
///
/// Each method runs one or several short transactions. None stays open between two calls, so a slow
/// reader blocks neither the agent nor its checkpoints, and records that are delivered between two
/// calls are missing from the second. Confined to one thread.
public final class BufferView implements AutoCloseable {
  static final String NOT_LAST_WRITTEN =
      "buffer.db and its log are not those that were last written here";

  private static final int PAGE_RECORDS = 256;
  private static final long PAGE_BYTES = 1 << 20;
  private static final int COUNTED_ROWS = 2_000;

  /// Up to this many records the backlog's bytes are summed; of more they are estimated.
  private static final long MAX_SUMMED_RECORDS = 100_000;

  /// A table of records.
  public enum Table {
    /// Records that wait for their delivery.
    PENDING("records", ""),
    /// Records that the server rejected, and damaged ones.
    REJECTED("rejected", ", status, response, rejected_at, attempts");

    private final String table;
    private final String more;

    Table(String table, String more) {
      this.table = table;
      this.more = more;
    }
  }

  /// One record.
  ///
  /// @param rejection why it was rejected; null for a pending record
  public record Entry(PendingRecord record, @Nullable RejectionDetails rejection) {}

  /// The records that wait for their delivery.
  ///
  /// @param records how many
  /// @param bytes the sum of their payloads' sizes
  /// @param isEstimate whether the bytes were estimated from samples
  /// @param nextReceivedAt when the first of them was accepted, UTC, milliseconds since 1970; null
  ///   when there is none
  public record Backlog(
      long records, long bytes, boolean isEstimate, @Nullable Long nextReceivedAt) {}

  /// The free space on the file system.
  ///
  /// @param usable bytes that are free for this user
  /// @param needed bytes that must become free before records are accepted again; 0 while they are
  public record DiskSpace(long usable, long needed) {}

  private final Connection connection;
  private final Path directory;
  private final String bufferId;

  private BufferView(Connection connection, Path directory) throws SQLException {
    this.connection = connection;
    this.directory = directory;
    this.bufferId = Sql.query(connection, "SELECT buffer_id FROM meta");
  }

  /// Opens the buffer in `directory`.
  ///
  /// @throws StorageException when there is no buffer, it cannot be read, or a part of it is
  ///   missing, so that its contents would be wrong
  public static BufferView open(Path directory) throws StorageException {
    // Read before the ledger, which it is never ahead of.
    Watermark.Mark mark = lastMark(directory);
    BufferView view = openUnchecked(directory);
    try {
      if (mark != null && !view.matches(mark)) {
        throw new StorageException.Corrupted(
            NOT_LAST_WRITTEN + ": start an agent, which salvages the sound records");
      }
      return view;
    } catch (StorageException failed) {
      SqliteFailure.closeAfter(failed, view);
      throw failed;
    }
  }

  private static Watermark.@Nullable Mark lastMark(Path directory) throws StorageException {
    try {
      return Watermark.read(DirectoryLayout.buffer(directory));
    } catch (IOException unreadable) {
      throw new StorageException(
          "the buffer's watermark cannot be read: " + unreadable, unreadable);
    }
  }

  /// Opens the buffer in `directory` without that check.
  static BufferView openUnchecked(Path directory) throws StorageException {
    Connection connection = Database.openReadOnly(DirectoryLayout.buffer(directory));
    try {
      return new BufferView(connection, directory);
    } catch (SQLException failed) {
      StorageException why = SqliteFailure.of("reading", failed);
      SqliteFailure.closeAfter(why, connection);
      throw why;
    }
  }

  /// The ledger.
  public Totals totals() throws StorageException {
    try {
      return Ledger.read(connection);
    } catch (SQLException failed) {
      throw SqliteFailure.of("reading", failed);
    }
  }

  /// Whether `mark` can be of this buffer as it is now.
  boolean matches(Watermark.Mark mark) throws StorageException {
    return mark.canBelongTo(bufferId, totals());
  }

  /// The next records of `table` after the id `after` and up to `through`, in order: at most 256,
  /// and none after their payloads reach 1 MiB; an empty list at the end.
  public List<Entry> page(Table table, long after, long through) throws StorageException {
    List<Entry> page = new ArrayList<>();
    long bytes = 0;
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT "
                + RecordRow.COLUMNS
                + table.more
                + " FROM "
                + table.table
                + " WHERE id > ? AND id <= ? ORDER BY id LIMIT "
                + PAGE_RECORDS)) {
      select.setLong(1, after);
      select.setLong(2, through);
      try (ResultSet rows = select.executeQuery()) {
        while (bytes < PAGE_BYTES && rows.next()) {
          PendingRecord record = RecordRow.read(rows, bufferId);
          page.add(new Entry(record, table == Table.PENDING ? null : rejection(rows)));
          bytes += record.content().size();
        }
      }
      return page;
    } catch (SQLException failed) {
      throw SqliteFailure.of("reading", failed);
    }
  }

  private static RejectionDetails rejection(ResultSet rows) throws SQLException {
    return new RejectionDetails(
        rows.getInt(8), String.valueOf(rows.getString(9)), rows.getLong(10), rows.getInt(11));
  }

  /// The highest id in `table`, 0 when it is empty.
  public long lastId(Table table) throws StorageException {
    return number("SELECT coalesce(max(id), 0) FROM " + table.table);
  }

  /// The time when the first pending record was accepted, UTC, in ms since 1970; null when there is
  /// none.
  public @Nullable Long nextReceivedAt() throws StorageException {
    try {
      String next = Sql.query(connection, "SELECT received_at FROM records ORDER BY id LIMIT 1");
      return next.isEmpty() ? null : Long.valueOf(next);
    } catch (SQLException failed) {
      throw SqliteFailure.of("reading", failed);
    }
  }

  /// Writes the metrics of the buffer's state, as a running agent does.
  ///
  /// @param nowMillis UTC, milliseconds since 1970
  public void writeTo(Exposition out, long nowMillis) throws StorageException, IOException {
    new BufferStateMetrics(totals(), nextReceivedAt())
        .writeTo(out, DirectoryLayout.buffer(directory), new Volume(directory), nowMillis);
    out.gauge(BufferStateMetrics.SHORTAGE, BufferStateMetrics.SHORTAGE_HELP, diskSpace().needed());
  }

  /// The pending records, by the ledger. The bytes of more than 100,000 records are estimated.
  public Backlog backlog() throws StorageException {
    try {
      Totals totals = Ledger.read(connection);
      Long received = nextReceivedAt();
      long first = number("SELECT coalesce(min(id), 0) FROM records");
      long last = number("SELECT coalesce(max(id), 0) FROM records");
      long records = Math.max(0, totals.pending());
      if (records <= MAX_SUMMED_RECORDS) {
        PayloadSize all = new PayloadSize(connection);
        all.addAll(first, last);
        return new Backlog(records, all.bytes(), false, received);
      }
      PayloadSize sample = new PayloadSize(connection);
      sample.addSamples(first, last);
      return new Backlog(records, Math.round(sample.mean() * records), true, received);
    } catch (SQLException failed) {
      throw SqliteFailure.of("reading", failed);
    }
  }

  /// The number of rejected records by status, counted in short ranges.
  public SortedMap<Integer, Long> rejectedByStatus() throws StorageException {
    SortedMap<Integer, Long> counts = new TreeMap<>();
    try (PreparedStatement page =
        connection.prepareStatement(
            "SELECT id, status FROM rejected WHERE id > ? ORDER BY id LIMIT " + COUNTED_ROWS)) {
      long last = 0;
      int seen = COUNTED_ROWS;
      while (seen == COUNTED_ROWS) {
        page.setLong(1, last);
        seen = 0;
        try (ResultSet rows = page.executeQuery()) {
          while (rows.next()) {
            last = rows.getLong(1);
            counts.merge(rows.getInt(2), 1L, Long::sum);
            seen++;
          }
        }
      }
      return counts;
    } catch (SQLException failed) {
      throw SqliteFailure.of("reading", failed);
    }
  }

  /// The free space on the file system of the buffer.
  public DiskSpace diskSpace() throws IOException {
    return new DiskSpace(new Volume(directory).usableBytes(), DiskReserve.shortageIn(directory));
  }

  private long number(String sql) throws StorageException {
    try {
      return Long.parseLong(Sql.query(connection, sql));
    } catch (SQLException failed) {
      throw SqliteFailure.of("reading", failed);
    }
  }

  Connection connection() {
    return connection;
  }

  @Override
  public void close() throws StorageException {
    try {
      connection.close();
    } catch (SQLException failed) {
      throw SqliteFailure.of("closing buffer.db", failed);
    }
  }
}
