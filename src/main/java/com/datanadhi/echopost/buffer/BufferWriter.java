package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.Settlement;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.salvage.Salvage;
import com.datanadhi.echopost.salvage.SalvagedRow;
import com.datanadhi.echopost.salvage.Watermark;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/// Owns the one connection that writes: makes every change of the buffer as part of a transaction,
/// and writes the ledger with every commit.
///
/// Used by one thread at a time: the one that opens the buffer, then the writer thread, and the one
/// that closes the buffer after that thread has ended. Any thread may call [#bufferId],
/// [#salvages], [#ledgerBroken] and [#files].
final class BufferWriter implements AutoCloseable {
  private final Connection connection;
  private final RecordKeys keys;
  private final Watermark watermark;
  private final String bufferId;
  private final Ledger ledger;
  private final LedgerCheck ledgerCheck;
  private final SalvageTable salvageTable;
  private final FileSpace space;
  private final OpenFiles files;
  private PreparedStatement begin;
  private PreparedStatement insert;
  private PreparedStatement delete;
  private PreparedStatement reject;
  private PreparedStatement commit;
  private @Nullable RejectedTable rejectedTable;

  /// @param connection open on `file`, its schema up to date
  /// @param keys those that this run gives to records without a key
  BufferWriter(Connection connection, Path file, RecordKeys keys)
      throws SQLException, StorageException, IOException {
    this.connection = connection;
    this.keys = keys;
    this.watermark = Watermark.open(file);
    prepare();
    this.space = new FileSpace(connection, file);
    this.bufferId = Sql.query(connection, "SELECT buffer_id FROM meta");
    this.ledger = new Ledger(connection);
    this.ledgerCheck = new LedgerCheck(connection, ledger);
    Path directory = Objects.requireNonNull(file.toAbsolutePath().getParent());
    this.salvageTable = new SalvageTable(connection, directory, ledger, bufferId);
    keepLogWhilePending();
    this.files = OpenFiles.of(file.toAbsolutePath());
  }

  private void prepare() throws SQLException {
    begin = connection.prepareStatement("BEGIN IMMEDIATE");
    insert = connection.prepareStatement("INSERT INTO records VALUES (" + RecordRow.VALUES + ")");
    delete = connection.prepareStatement("DELETE FROM records WHERE id > ? AND id <= ?");
    reject =
        connection.prepareStatement(
            // A damaged row may lack values that the table rejected requires.
            "INSERT INTO rejected SELECT id, coalesce(received_at, 0), coalesce(json_data, ''),"
                + " coalesce(pipelines, ''), coalesce(api_key, ''), origin, coalesce(crc32c, 0),"
                + " ?, ?, ?, ? FROM records WHERE id = ?");
    commit = connection.prepareStatement("COMMIT");
  }

  /// The identity of the buffer, with which the idempotency keys of rows without one start. Any
  /// thread.
  String bufferId() {
    return bufferId;
  }

  /// The ledger as of the last commit.
  Totals totals() {
    return ledger.committed();
  }

  /// Whether the ledger was found wrong in this run. Any thread.
  boolean ledgerBroken() {
    return ledgerCheck.foundBroken();
  }

  /// The files that are open. Any thread.
  OpenFiles files() {
    return files;
  }

  /// Whether the name of the watermark does not lead to it any more. Any thread.
  boolean hasLostWatermark() throws IOException {
    return watermark.hasLostName();
  }

  /// Makes the name of the watermark lead to the open one again. Any other process may have deleted
  /// or replaced it.
  void restoreWatermark() throws IOException {
    watermark.restoreName();
    watermark.advance(bufferId, ledger.committed());
  }

  /// Copies the database as of the last commit, with what is only in its log, to `file`; when this
  /// returns, the copy is on stable storage. Not within a transaction.
  ///
  /// @param progress called after each step
  void copyTo(Path file, Runnable progress) throws StorageException {
    try {
      int code =
          connection
              .unwrap(SQLiteConnection.class)
              .getDatabase()
              .backup("main", file.toAbsolutePath().toString(), (_, _) -> progress.run());
      if (code != 0) {
        SQLiteErrorCode known = SQLiteErrorCode.getErrorCode(code);
        throw new SQLiteException(known.toString(), known);
      }
    } catch (SQLException failed) {
      throw SqliteFailure.of("copying buffer.db", failed);
    }
  }

  /// The damaged buffers that are not fully restored, as of the last commit. Any thread.
  List<Salvage.Source> salvages() {
    return salvageTable.sources();
  }

  /// The disk space of the file.
  FileSpace space() {
    return space;
  }

  /// The statements of a transaction.
  interface Body<T> {
    T run() throws SQLException;
  }

  /// Runs `body` in a transaction; when this returns, it is on stable storage.
  ///
  /// @throws StorageException when any of it failed; all of it is rolled back then
  <T> T transact(Body<T> body) throws StorageException {
    try {
      begin();
      T result = body.run();
      commit();
      return result;
    } catch (SQLException failed) {
      StorageException kind = SqliteFailure.of("writing", failed);
      try {
        rollback();
      } catch (SQLException alsoFailed) {
        kind.addSuppressed(alsoFailed);
      }
      throw kind;
    }
  }

  void begin() throws SQLException {
    boolean _ = begin.execute();
  }

  /// Ends the transaction; when this returns, it is on stable storage.
  void commit() throws SQLException {
    ledger.write();
    boolean _ = commit.execute();
    ledger.commit();
    keys.commit();
    salvageTable.commit();
    watermark.advance(bufferId, ledger.committed());
    keepLogWhilePending();
  }

  private void keepLogWhilePending() {
    if (totals().pending() > 0) {
      space.keepLog();
    }
  }

  /// Rolls the transaction back, unless SQLite has done so itself because of the failure.
  void rollback() throws SQLException {
    salvageTable.rollback();
    keys.rollback();
    ledger.beginRollback();
    // The driver has closed a statement that failed for a full disk or an I/O error.
    for (PreparedStatement statement : List.of(begin, insert, delete, reject, commit)) {
      statement.close();
    }
    if (rejectedTable != null) {
      rejectedTable.close();
      rejectedTable = null;
    }
    try {
      Sql.execute(connection, "ROLLBACK");
    } catch (SQLException failed) {
      if (failed.getMessage() == null
          || !failed.getMessage().contains("no transaction is active")) {
        throw failed;
      }
    }
    ledger.endRollback();
    prepare();
  }

  /// Stores records under the next ids, those without a key under the next keys of this run.
  void append(List<NewRecord> records) throws SQLException {
    long id = ledger.next().lastId();
    for (NewRecord one : records) {
      id++;
      RecordRow.bind(insert, id, one.origin() == null ? one.withOrigin(keys.next()) : one);
      insert.addBatch();
    }
    int[] _ = insert.executeBatch();
    ledger.setNext(ledger.next().withAppended(records.size()));
  }

  /// Stores a batch under the next ids, unless it was stored before.
  ///
  /// @return how many records were stored
  int importBatch(ImportBatch batch, long nowMillis) throws SQLException {
    try (PreparedStatement note =
        connection.prepareStatement("INSERT OR IGNORE INTO imported VALUES (?)")) {
      note.setBytes(1, batch.digest());
      if (note.executeUpdate() == 0) {
        return 0;
      }
    }
    append(batch.records().stream().map(line -> line.toRecord(nowMillis)).toList());
    return batch.records().size();
  }

  /// Deletes every pending record up to `through`.
  ///
  /// @return how many there were
  int acknowledge(long through) throws SQLException {
    int deleted = delete(ledger.next().settledThrough(), through);
    ledger.setNext(ledger.next().withDelivered(deleted, through));
    ledgerCheck.correctMissing();
    return deleted;
  }

  /// The same for at most the first `limit` records.
  int acknowledge(long through, int limit) throws SQLException {
    String last =
        Sql.query(
            connection,
            "SELECT coalesce(max(id), "
                + through
                + ") FROM (SELECT id FROM records WHERE id <= "
                + through
                + " ORDER BY id LIMIT "
                + limit
                + ")");
    return acknowledge(Long.parseLong(last));
  }

  private int delete(long after, long through) throws SQLException {
    delete.setLong(1, after);
    delete.setLong(2, through);
    return delete.executeUpdate();
  }

  /// Moves the first pending record to `rejected`.
  void reject(Rejection rejection) throws SQLException {
    long id = rejection.record().id();
    reject.setInt(1, rejection.status());
    reject.setString(2, rejection.response());
    reject.setLong(3, rejection.rejectedAt());
    reject.setInt(4, rejection.attempts());
    reject.setLong(5, id);
    int moved = reject.executeUpdate();
    int deleted = delete(id - 1, id);
    if (moved != 1 || deleted != 1) {
      throw new SQLException("record " + id + " is not there to be rejected");
    }
    ledger.setNext(ledger.next().withRejected(id));
    ledgerCheck.correctMissing();
  }

  /// Deletes the accepted records of a batch and moves the rejected ones, in their order.
  ///
  /// @return how many were rejected
  int settle(Settlement settlement) throws SQLException {
    for (Rejection rejection : settlement.rejections()) {
      acknowledgeBefore(rejection.record().id());
      reject(rejection);
    }
    if (settlement.throughId() > ledger.next().settledThrough()) {
      int _ = acknowledge(settlement.throughId());
    }
    return settlement.rejections().size();
  }

  private void acknowledgeBefore(long id) throws SQLException {
    if (id - 1 > ledger.next().settledThrough()) {
      int _ = acknowledge(id - 1);
    }
  }

  /// Redrives or discards the next batch of `range`.
  RejectedRange.Batch apply(RejectedRange range) throws SQLException {
    RejectedTable table = rejectedTable;
    if (table == null) {
      table = new RejectedTable(connection, bufferId);
      rejectedTable = table;
    }
    RejectedTable.Deleted deleted = table.delete(range);
    int count = deleted.records().size();
    if (range.action() == RejectedRange.Action.DISCARD) {
      ledger.setNext(ledger.next().withDiscarded(count));
    } else {
      long id = ledger.next().lastId();
      for (PendingRecord record : deleted.records()) {
        id++;
        RecordRow.bind(insert, id, PendingRecord.withKey(bufferId, record.id(), record.content()));
        insert.addBatch();
      }
      int[] _ = insert.executeBatch();
      ledger.setNext(ledger.next().withRedriven(count));
    }
    ledgerCheck.checkRejected(ledger.next());
    return new RejectedRange.Batch(deleted.throughId(), count, deleted.damagedIds());
  }

  /// Lists a damaged buffer as one to be restored.
  int beginSalvage(Salvage.Source source) throws SQLException {
    return salvageTable.begin(source);
  }

  /// Inserts rows of a damaged buffer; see [SalvageTable#restore].
  int restore(List<SalvagedRow> rows, Salvage.Source source, @Nullable String sourceId)
      throws SQLException {
    return salvageTable.restore(rows, source, sourceId);
  }

  /// A damaged buffer is fully restored.
  int endSalvage(Salvage.Source source) throws SQLException {
    return salvageTable.end(source);
  }

  /// Compares the ledger with the first and the last ids, and corrects it.
  void checkLedger() throws SQLException {
    ledgerCheck.checkIds();
  }

  /// Compares the ledger with the rows, by counting them, and corrects it. Not within a
  /// transaction.
  void countLedger(BoundedRowCount count) throws SQLException, StorageException {
    if (ledgerCheck.count(count)) {
      Totals _ = transact(ledger::next);
    }
  }

  /// Whether `mark` can be of this buffer as it is now.
  boolean matches(Watermark.Mark mark) {
    return mark.canBelongTo(bufferId, ledger.committed());
  }

  boolean isClosed() throws SQLException {
    return connection.isClosed();
  }

  @Override
  public void close() throws SQLException, IOException {
    watermark.close();
    connection.close();
  }
}
