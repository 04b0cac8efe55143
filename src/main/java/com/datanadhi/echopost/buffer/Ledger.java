package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/// The row in `meta` that counts records, as the writer keeps it: the totals as of the last commit,
/// and those that the transaction under way will commit.
///
/// Used by one thread at a time, as [BufferWriter] is.
final class Ledger {
  private final Connection connection;
  private PreparedStatement update;
  private Totals committed;
  private Totals next;

  Ledger(Connection connection) throws SQLException, StorageException {
    this.connection = connection;
    this.update = prepare();
    this.committed = read(connection);
    this.next = committed;
  }

  /// Reads the totals as of the last commit.
  ///
  /// @throws StorageException.Corrupted when the row is missing
  static Totals read(Connection connection) throws SQLException, StorageException {
    try (var statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                // An id is never assigned twice, even if one of these is damaged.
                "SELECT accepted, delivered, rejected, discarded,"
                    + " max(settled_through, salvaged_through,"
                    + " coalesce((SELECT seq FROM sqlite_sequence WHERE name='records'), 0),"
                    + " coalesce((SELECT max(id) FROM records), 0)),"
                    + " settled_through, salvaged_through FROM meta")) {
      if (!row.next()) {
        throw new StorageException.Corrupted("buffer.db has no ledger");
      }
      return new Totals(
          row.getLong(1),
          row.getLong(2),
          row.getLong(3),
          row.getLong(4),
          row.getLong(5),
          row.getLong(6),
          row.getLong(7));
    }
  }

  private PreparedStatement prepare() throws SQLException {
    return connection.prepareStatement(
        "UPDATE meta SET settled_through=?, accepted=?, delivered=?, rejected=?, discarded=?");
  }

  /// The totals as of the last commit.
  Totals committed() {
    return committed;
  }

  /// The totals that the transaction under way will commit.
  Totals next() {
    return next;
  }

  void setNext(Totals totals) {
    next = totals;
  }

  /// Corrects the totals as of the last commit; the next commit writes the correction.
  void correct(Totals totals) {
    committed = totals;
    next = totals;
  }

  /// Starts an epoch within this transaction: new ids continue above `epoch`, a multiple of
  /// [Totals#EPOCH], so that salvaged records keep their lower ids and come first.
  void startEpoch(long epoch) throws SQLException {
    Sql.execute(connection, "UPDATE meta SET salvaged_through=" + epoch);
    next = next.withEpoch(epoch);
  }

  /// Writes the next totals, as part of the transaction.
  void write() throws SQLException {
    update.setLong(1, next.settledThrough());
    update.setLong(2, next.accepted());
    update.setLong(3, next.delivered());
    update.setLong(4, next.rejected());
    update.setLong(5, next.discarded());
    int _ = update.executeUpdate();
  }

  /// The transaction is committed.
  void commit() {
    committed = next;
  }

  /// The transaction is to be rolled back: closes the statement, which would be in its way.
  void beginRollback() throws SQLException {
    next = committed;
    update.close();
  }

  /// The transaction is rolled back.
  void endRollback() throws SQLException {
    update = prepare();
  }
}
