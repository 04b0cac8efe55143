package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.Checksum;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectionDetails;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.salvage.Salvage;
import com.datanadhi.echopost.salvage.SalvagedRow;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The table `salvage`, which lists damaged buffers that are not fully restored, and the restoring
/// of their rows. All within the writer's transactions.
///
/// Used by one thread at a time, as [BufferWriter] is, except [#sources]: an immutable list as of
/// the last commit, published through a volatile field.
final class SalvageTable {
  private final Connection connection;
  private final Path directory;
  private final Ledger ledger;
  private final String bufferId;
  private List<Salvage.Source> next;
  private boolean isChanged;
  private volatile List<Salvage.Source> committed;

  /// @param directory where the buffer is
  SalvageTable(Connection connection, Path directory, Ledger ledger, String bufferId)
      throws SQLException {
    this.connection = connection;
    this.directory = directory;
    this.ledger = ledger;
    this.bufferId = bufferId;
    this.next = read();
    this.committed = next;
  }

  private List<Salvage.Source> read() throws SQLException {
    List<Salvage.Source> sources = new ArrayList<>();
    try (var statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery("SELECT file, id_base FROM salvage ORDER BY rowid")) {
      while (rows.next()) {
        sources.add(new Salvage.Source(directory.resolve(rows.getString(1)), rows.getLong(2)));
      }
    }
    return List.copyOf(sources);
  }

  /// The damaged buffers that are not fully restored, as of the last commit. Any thread.
  List<Salvage.Source> sources() {
    return committed;
  }

  /// Adds a damaged buffer.
  int begin(Salvage.Source source) throws SQLException {
    int added;
    try (PreparedStatement insert =
        connection.prepareStatement("INSERT INTO salvage VALUES (?, ?)")) {
      insert.setString(1, nameOf(source));
      insert.setLong(2, source.idBase());
      added = insert.executeUpdate();
    }
    next = read();
    isChanged = true;
    return added;
  }

  /// Removes a damaged buffer that is fully restored.
  int end(Salvage.Source source) throws SQLException {
    int removed;
    try (PreparedStatement delete =
        connection.prepareStatement("DELETE FROM salvage WHERE file=?")) {
      delete.setString(1, nameOf(source));
      removed = delete.executeUpdate();
    }
    next = read();
    isChanged = true;
    return removed;
  }

  /// The file's path, or only its name if it is in the buffer's directory, which may be moved.
  private String nameOf(Salvage.Source source) {
    Path file = source.file();
    return String.valueOf(directory.equals(file.getParent()) ? file.getFileName() : file);
  }

  /// The transaction is committed.
  void commit() {
    if (isChanged) {
      committed = next;
      isChanged = false;
    }
  }

  /// The transaction is rolled back.
  void rollback() {
    next = committed;
    isChanged = false;
  }

  /// Inserts rows of a damaged buffer, with their ids raised by the base of `source`. A row whose
  /// id exists or is settled is skipped; a row in `rejected` takes precedence over one in
  /// `records`. If the id is that of another record, since the file is of a copy of this directory
  /// that went on by itself, the row becomes pending behind all others.
  ///
  /// @param sourceId the id of the damaged buffer; null when it is not known
  /// @return how many rows were inserted
  int restore(List<SalvagedRow> rows, Salvage.Source source, @Nullable String sourceId)
      throws SQLException {
    boolean keepKeys = source.idBase() == 0 && bufferId.equals(sourceId);
    int rejected = 0;
    int displaced = 0;
    int pending = 0;
    int moved = 0;
    try (PreparedStatement insertPending =
            connection.prepareStatement(
                "INSERT OR IGNORE INTO records SELECT "
                    + RecordRow.VALUES
                    + " WHERE NOT EXISTS (SELECT 1 FROM rejected WHERE id = ?1)");
        PreparedStatement insertRejected =
            connection.prepareStatement(
                "INSERT OR IGNORE INTO rejected VALUES ("
                    + RecordRow.VALUES
                    + ", ?8, ?9, ?10, ?11)");
        PreparedStatement deletePending =
            connection.prepareStatement("DELETE FROM records WHERE id = ?");
        PreparedStatement selectOther =
            connection.prepareStatement(
                "SELECT 1 FROM records WHERE id = ?1 AND crc32c <> ?2 UNION ALL"
                    + " SELECT 1 FROM rejected WHERE id = ?1 AND crc32c <> ?2")) {
      for (SalvagedRow row : rows) {
        long id = source.idBase() + row.id();
        NewRecord content =
            keepKeys || sourceId == null
                ? row.content()
                : PendingRecord.withKey(sourceId, row.id(), row.content());
        RejectionDetails rejection = row.rejection();
        if (isOfAnotherRecord(selectOther, id, content)) {
          RecordRow.bind(insertPending, ledger.next().lastId() + 1, content);
          moved += insertPending.executeUpdate();
          ledger.setNext(ledger.next().withAppended(1));
        } else if (rejection == null) {
          if (id > ledger.next().settledThrough()) {
            RecordRow.bind(insertPending, id, content);
            pending += insertPending.executeUpdate();
          }
        } else {
          RecordRow.bind(insertRejected, id, content);
          insertRejected.setInt(8, rejection.status());
          insertRejected.setString(9, rejection.response());
          insertRejected.setLong(10, rejection.rejectedAt());
          insertRejected.setInt(11, rejection.attempts());
          if (insertRejected.executeUpdate() == 1) {
            rejected++;
            deletePending.setLong(1, id);
            displaced += deletePending.executeUpdate();
          }
        }
        if (id > ledger.next().salvagedThrough()) {
          ledger.startEpoch(Totals.epochAfter(id));
        }
      }
    }
    ledger.setNext(ledger.next().withSalvaged(pending + rejected - displaced, rejected));
    return pending + rejected + moved;
  }

  private static boolean isOfAnotherRecord(
      PreparedStatement selectOther, long id, NewRecord content) throws SQLException {
    selectOther.setLong(1, id);
    selectOther.setLong(2, Checksum.of(id, content));
    try (ResultSet other = selectOther.executeQuery()) {
      return other.next();
    }
  }
}
