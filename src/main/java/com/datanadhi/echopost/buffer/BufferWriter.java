package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.buffer.BoundedRowCount.Counted;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.Checksum;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectedBatch;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.RejectionDetails;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.salvage.Salvage;
import com.datanadhi.echopost.salvage.SalvagedRow;
import com.datanadhi.echopost.salvage.Watermark;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/// All that is ever written to the buffer, each as part of a transaction that the caller begins and
/// commits.
///
/// The ledger row is written with every commit, in the same transaction. Confined to the writer's
/// thread.
final class BufferWriter implements AutoCloseable {
  private static final String RECORD =
      "?1, ?2, CAST(?3 AS TEXT), CAST(?4 AS TEXT), CAST(?5 AS TEXT), ?6, ?7";
  private static final int SHRINK_PAGES = 256;
  private static final int WORTH_REWRITING_PAGES = 4_096;
  private static final int LARGEST_REWRITE_PAGES = 1_024;
  private static final int COMMITS_TO_A_LOOK_AT_THE_LOG = 256;

  private final Connection connection;
  private final Path directory;
  private final Watermark watermark;
  private final List<Salvage.Source> salvages = new CopyOnWriteArrayList<>();
  private PreparedStatement begin;
  private PreparedStatement insert;
  private PreparedStatement delete;
  private PreparedStatement reject;
  private PreparedStatement ledger;
  private PreparedStatement commit;
  private final String bufferId;
  private final int patienceMillis;
  private final int mostLogPages;
  private int commits;
  private @Nullable RejectedTable rejectedTable;
  private Totals committed;
  private Totals next;
  private volatile boolean ledgerBroken;

  /// @param file what `connection` is open on
  BufferWriter(Connection connection, Path file)
      throws SQLException, StorageException, IOException {
    this.connection = connection;
    this.directory = Objects.requireNonNull(file.toAbsolutePath().getParent());
    this.watermark = Watermark.open(file);
    prepare();
    this.patienceMillis = Integer.parseInt(Database.query(connection, "PRAGMA busy_timeout"));
    this.mostLogPages =
        Integer.parseInt(Database.query(connection, "PRAGMA journal_size_limit"))
            / Database.PAGE_SIZE;
    this.bufferId = Database.query(connection, "SELECT buffer_id FROM meta");
    this.committed = readTotals(connection);
    this.next = committed;
    readSalvages();
  }

  /// The driver closes a statement that failed for a full disk or an I/O error.
  private void prepare() throws SQLException {
    begin = connection.prepareStatement("BEGIN IMMEDIATE");
    insert = connection.prepareStatement("INSERT INTO records VALUES (" + RECORD + ")");
    delete = connection.prepareStatement("DELETE FROM records WHERE id > ? AND id <= ?");
    reject =
        connection.prepareStatement(
            // What is damaged may lack what no row may lack.
            "INSERT INTO rejected SELECT id, coalesce(received_at, 0), coalesce(json_data, ''),"
                + " coalesce(pipelines, ''), coalesce(api_key, ''), origin, coalesce(crc32c, 0),"
                + " ?, ?, ?, ? FROM records WHERE id = ?");
    ledger =
        connection.prepareStatement(
            "UPDATE meta SET settled_through=?, accepted=?, delivered=?, rejected=?, discarded=?");
    commit = connection.prepareStatement("COMMIT");
  }

  static Totals readTotals(Connection connection) throws SQLException, StorageException {
    try (var statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                // An id is never given twice, whatever damage has done to one of these.
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

  String bufferId() {
    return bufferId;
  }

  /// The ledger as of the last commit.
  Totals totals() {
    return committed;
  }

  /// What a transaction is made of.
  interface Body<T> {
    T run() throws SQLException;
  }

  /// Begins, does `body` and commits; when this returns, it is on stable storage.
  ///
  /// @throws StorageException when any of it failed; all of it is undone then
  <T> T transact(Body<T> body) throws StorageException {
    try {
      begin();
      T result = body.run();
      commit();
      return result;
    } catch (SQLException failed) {
      StorageException kind = Database.failure("writing", failed);
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

  /// Stores records under the next ids.
  void append(List<NewRecord> records) throws SQLException {
    long id = next.lastId();
    for (NewRecord one : records) {
      id++;
      bind(insert, id, one);
      insert.addBatch();
    }
    int[] _ = insert.executeBatch();
    next = next.withAppended(records.size());
  }

  /// Stores a batch under the next ids, unless that was done before.
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
    append(batch.records().stream().map(line -> line.received(nowMillis)).toList());
    return batch.records().size();
  }

  private static void bind(PreparedStatement statement, long id, NewRecord content)
      throws SQLException {
    statement.setLong(1, id);
    statement.setLong(2, content.receivedAt());
    statement.setBytes(3, content.jsonData());
    statement.setBytes(4, content.pipelines());
    statement.setBytes(5, content.apiKey());
    if (content.origin() == null) {
      statement.setNull(6, Types.VARCHAR);
    } else {
      statement.setString(6, content.origin());
    }
    statement.setLong(7, Checksum.of(id, content));
  }

  /// Deletes every pending record up to `through`.
  ///
  /// @return how many there were
  int acknowledge(long through) throws SQLException {
    delete.setLong(1, next.settledThrough());
    delete.setLong(2, through);
    int deleted = delete.executeUpdate();
    next = next.withDelivered(deleted, through);
    noteMissing();
    return deleted;
  }

  /// Ids have no gaps: where rows are missing somebody else has been at the table. They are taken
  /// out of what was accepted, so that the ledger is right again.
  private void noteMissing() {
    long missing = next.missing();
    if (missing != 0) {
      next = next.withMissing(missing);
      broken("missing_records", missing, "through_id", next.settledThrough());
    }
  }

  /// Whether the ledger was found wrong in this run. Any thread.
  boolean ledgerBroken() {
    return ledgerBroken;
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
    delete.setLong(1, id - 1);
    delete.setLong(2, id);
    int deleted = delete.executeUpdate();
    if (moved != 1 || deleted != 1) {
      throw new SQLException("record " + id + " is not there to be rejected");
    }
    next = next.withRejected(id);
    noteMissing();
  }

  /// Puts rows of a damaged buffer back, under their ids and `source`'s base. A row that is there
  /// already, or settled, is passed over; one in `rejected` counts before one in `records`.
  ///
  /// @param sourceId whose ids they were, null when that is not known
  /// @return how many were put back
  int restore(List<SalvagedRow> rows, Salvage.Source source, @Nullable String sourceId)
      throws SQLException {
    boolean keepKeys = source.idBase() == 0 && bufferId.equals(sourceId);
    int refused = 0;
    int displaced = 0;
    int pending = 0;
    try (PreparedStatement add =
            connection.prepareStatement(
                "INSERT OR IGNORE INTO records SELECT "
                    + RECORD
                    + " WHERE NOT EXISTS (SELECT 1 FROM rejected WHERE id = ?1)");
        PreparedStatement refuse =
            connection.prepareStatement(
                "INSERT OR IGNORE INTO rejected VALUES (" + RECORD + ", ?8, ?9, ?10, ?11)")) {
      for (SalvagedRow row : rows) {
        long id = source.idBase() + row.id();
        NewRecord content =
            keepKeys || sourceId == null
                ? row.content()
                : row.content().withOrigin(PendingRecord.key(sourceId, row.id(), row.content()));
        RejectionDetails rejection = row.rejection();
        if (rejection == null) {
          if (id > next.settledThrough()) {
            bind(add, id, content);
            pending += add.executeUpdate();
          }
        } else {
          bind(refuse, id, content);
          refuse.setInt(8, rejection.status());
          refuse.setString(9, rejection.response());
          refuse.setLong(10, rejection.rejectedAt());
          refuse.setInt(11, rejection.attempts());
          if (refuse.executeUpdate() == 1) {
            refused++;
            delete.setLong(1, id - 1);
            delete.setLong(2, id);
            displaced += delete.executeUpdate();
          }
        }
        if (id > next.salvagedThrough()) {
          beginEpoch(Totals.epochAfter(id));
        }
      }
    }
    next = next.withSalvaged(pending + refused - displaced, refused);
    return pending + refused;
  }

  /// New ids are given above `epoch`.
  private void beginEpoch(long epoch) throws SQLException {
    Database.execute(connection, "UPDATE meta SET salvaged_through=" + epoch);
    next = next.withEpoch(epoch);
  }

  /// Notes that a damaged buffer is to be salvaged into this one.
  int beginSalvage(Salvage.Source source) throws SQLException {
    try (PreparedStatement begin =
        connection.prepareStatement("INSERT INTO salvage VALUES (?, ?)")) {
      begin.setString(1, nameOf(source));
      begin.setLong(2, source.idBase());
      return begin.executeUpdate();
    }
  }

  /// Notes that all of it is back.
  int endSalvage(Salvage.Source source) throws SQLException {
    try (PreparedStatement end = connection.prepareStatement("DELETE FROM salvage WHERE file=?")) {
      end.setString(1, nameOf(source));
      return end.executeUpdate();
    }
  }

  /// The damaged buffers of which not everything is back yet, as of the last commit. Any thread;
  /// whoever commits a beginning or an end changes this.
  List<Salvage.Source> salvages() {
    return salvages;
  }

  /// Without its directory where that is the buffer's own: both may be moved.
  private String nameOf(Salvage.Source source) {
    Path file = source.file();
    return String.valueOf(directory.equals(file.getParent()) ? file.getFileName() : file);
  }

  private void readSalvages() throws SQLException {
    try (var statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery("SELECT file, id_base FROM salvage ORDER BY rowid")) {
      while (rows.next()) {
        salvages.add(new Salvage.Source(directory.resolve(rows.getString(1)), rows.getLong(2)));
      }
    }
  }

  /// Does the next slice of what an operator decided about rejected records.
  RejectedBatch.Slice apply(RejectedBatch sweep) throws SQLException {
    RejectedTable table = rejectedTable;
    if (table == null) {
      table = new RejectedTable(connection, bufferId);
      rejectedTable = table;
    }
    RejectedTable.Window window = table.look(sweep);
    List<Long> damaged = new ArrayList<>();
    int count = 0;
    for (PendingRecord record : window.records()) {
      if (sweep.action() == RejectedBatch.Action.DISCARD) {
        table.delete(record.id());
        count++;
      } else if (record.sound()) {
        table.delete(record.id());
        count++;
        bind(insert, next.lastId() + count, record.content().withOrigin(record.idempotencyKey()));
        insert.addBatch();
      } else {
        damaged.add(record.id());
      }
    }
    if (sweep.action() == RejectedBatch.Action.DISCARD) {
      next = next.withDiscarded(count);
    } else {
      int[] _ = insert.executeBatch();
      next = next.withRedriven(count);
    }
    checkRejected(next);
    return new RejectedBatch.Slice(window.throughId(), count, damaged);
  }

  /// Whether the table `rejected` agrees with the ledger, by looking at its last row alone.
  private void checkRejected(Totals ledger) throws SQLException {
    long last = Long.parseLong(query("SELECT coalesce(max(id), 0) FROM rejected"));
    boolean right =
        ledger.rejected() == 0
            ? last == 0
            : last != 0 && last <= Math.max(ledger.settledThrough(), ledger.salvagedThrough());
    if (!right) {
      broken(
          "rejected_by_ledger",
          ledger.rejected(),
          "settled_through",
          ledger.settledThrough(),
          "last_rejected_id",
          last);
    }
  }

  private void broken(Object... figures) {
    ledgerBroken = true;
    Object[] fields = Arrays.copyOf(figures, figures.length + 2);
    fields[figures.length] = "action";
    fields[figures.length + 1] =
        "somebody changed rows of buffer.db by hand; what is left is delivered in order";
    Events.severe(EventNames.LEDGER_BROKEN, fields);
  }

  /// Whether as many rows are there as the ledger says, by counting them. Where rejected records
  /// were deleted by hand, the ledger is made right again; where pending ones were, it will be when
  /// their ids are passed. Not within a transaction.
  void countLedger(BoundedRowCount count) throws SQLException, StorageException {
    Counted rejected = count.rowsOf(connection, "rejected");
    Counted pending = count.rowsOf(connection, "records");
    if (differs(rejected, committed.rejected()) || differs(pending, committed.pending())) {
      broken(
          "accepted",
          committed.accepted(),
          "delivered",
          committed.delivered(),
          "pending",
          committed.pending(),
          "pending_counted",
          pending.rows(),
          "rejected",
          committed.rejected(),
          "rejected_counted",
          rejected.rows(),
          "discarded",
          committed.discarded());
    } else if (!rejected.complete() || !pending.complete()) {
      Events.info(
          EventNames.LEDGER_NOT_COUNTED, "reason", "there are too many rows to count them now");
    }
    if (differs(rejected, committed.rejected()) && rejected.complete()) {
      next = committed.withRejectedCounted(rejected.rows());
      transact(() -> rejected);
    }
  }

  private static boolean differs(Counted counted, long ledger) {
    return counted.complete() ? counted.rows() != ledger : counted.rows() > ledger;
  }

  /// Whether the rows' ids agree with the ledger, by looking at the first and the last alone. A row
  /// that is there is not settled, whatever the ledger says.
  void checkLedger() throws SQLException {
    checkRejected(committed);
    long first = Long.parseLong(query("SELECT coalesce(min(id), 0) FROM records"));
    long last = Long.parseLong(query("SELECT coalesce(max(id), 0) FROM records"));
    long pending = committed.pending();
    boolean right =
        first == 0
            ? pending == 0
            : committed.missing() == 0
                && last <= committed.lastId()
                && first > committed.settledThrough()
                && (committed.settledThrough() < committed.salvagedThrough()
                    || (first == committed.settledThrough() + 1 && last == committed.lastId()));
    if (!right) {
      if (first != 0 && first <= committed.settledThrough()) {
        committed = committed.withDelivered(0, first - 1);
        next = committed;
      }
      broken(
          "pending_by_ledger",
          pending,
          "settled_through",
          committed.settledThrough(),
          "first_id",
          first,
          "last_id",
          last);
    }
  }

  private String query(String sql) throws SQLException {
    return Database.query(connection, sql);
  }

  /// Ends the transaction; when this returns, it is on stable storage.
  void commit() throws SQLException {
    ledger.setLong(1, next.settledThrough());
    ledger.setLong(2, next.accepted());
    ledger.setLong(3, next.delivered());
    ledger.setLong(4, next.rejected());
    ledger.setLong(5, next.discarded());
    int _ = ledger.executeUpdate();
    boolean _ = commit.execute();
    committed = next;
    watermark.advance(bufferId, committed);
  }

  /// Whether this can be the buffer of which `mark` was written.
  boolean accountsFor(Watermark.Mark mark) {
    return mark.canBeOf(bufferId, committed);
  }

  /// Undoes what was not committed. Some failures have made SQLite roll back by itself already.
  void rollback() throws SQLException {
    next = committed;
    for (PreparedStatement statement : List.of(begin, insert, delete, reject, ledger, commit)) {
      statement.close();
    }
    if (rejectedTable != null) {
      rejectedTable.close();
      rejectedTable = null;
    }
    try {
      Database.execute(connection, "ROLLBACK");
    } catch (SQLException failed) {
      if (failed.getMessage() == null
          || !failed.getMessage().contains("no transaction is active")) {
        throw failed;
      }
    }
    prepare();
  }

  /// Writes the log back into the database and empties the log file, as far as readers let it.
  void checkpoint() throws SQLException {
    // Without patience: somebody who reads for long must not hold up the only writer.
    Database.execute(connection, "PRAGMA busy_timeout=0");
    try {
      String _ = query("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      Database.execute(connection, "PRAGMA busy_timeout=" + patienceMillis);
    }
  }

  /// Now and then, writes the log back if it has outgrown its bound. SQLite does that by itself
  /// long before, but keeps it to itself when it cannot.
  ///
  /// @throws SQLException when the log cannot be written back; what is in it is safe
  void checkpointIfOverdue() throws SQLException {
    commits++;
    if (commits % COMMITS_TO_A_LOOK_AT_THE_LOG == 0 && logPages() > mostLogPages) {
      checkpoint();
    }
  }

  private int logPages() throws SQLException {
    try (var statement = connection.createStatement();
        ResultSet row = statement.executeQuery("PRAGMA wal_checkpoint(NOOP)")) {
      return row.next() ? row.getInt(2) : 0;
    }
  }

  /// Gives some free pages back to the file system. A few at a time: SQLite touches each page that
  /// it gives up, and what does not fit its cache would be written to the log, which needs the very
  /// room that is wanted.
  ///
  /// @return how many are left
  int shrinkStep() throws SQLException {
    try (var statement = connection.createStatement()) {
      // As an update, since each page freed yields a row of no columns.
      int _ = statement.executeUpdate("PRAGMA incremental_vacuum(" + SHRINK_PAGES + ")");
    }
    return Integer.parseInt(query("PRAGMA freelist_count"));
  }

  /// Rewrites the file without its free pages, if there are many of them and little else: after a
  /// backlog of gigabytes that takes a second, and to give them back page by page a minute. Not
  /// within a transaction.
  ///
  /// @return whether it did
  boolean rewriteIfMostlyFree() throws SQLException {
    int free = Integer.parseInt(query("PRAGMA freelist_count"));
    int used = Integer.parseInt(query("PRAGMA page_count")) - free;
    if (free < WORTH_REWRITING_PAGES || used > LARGEST_REWRITE_PAGES) {
      return false;
    }
    Database.execute(connection, "VACUUM");
    return true;
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
