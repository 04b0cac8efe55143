package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.buffer.LedgerCount.Counted;
import com.datanadhi.echopost.logging.Events;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// All that is ever written to the buffer, each as part of a transaction that the caller begins and
/// commits.
///
/// The ledger row is written with every commit, in the same transaction. Confined to the writer's
/// thread.
final class Writer implements AutoCloseable {
  private static final int SHRINK_PAGES = 256;
  private static final int WORTH_REWRITING_PAGES = 4_096;
  private static final int LARGEST_REWRITE_PAGES = 1_024;
  private static final int COMMITS_TO_A_LOOK_AT_THE_LOG = 256;

  private final Connection connection;
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

  Writer(Connection connection) throws SQLException {
    this.connection = connection;
    prepare();
    this.patienceMillis = Integer.parseInt(Database.query(connection, "PRAGMA busy_timeout"));
    this.mostLogPages =
        2 * Integer.parseInt(Database.query(connection, "PRAGMA wal_autocheckpoint"));
    this.bufferId = Database.query(connection, "SELECT buffer_id FROM meta");
    this.committed = readTotals(connection);
    this.next = committed;
  }

  /// The driver closes a statement that failed for a full disk or an I/O error.
  private void prepare() throws SQLException {
    begin = connection.prepareStatement("BEGIN IMMEDIATE");
    insert =
        connection.prepareStatement(
            "INSERT INTO records VALUES"
                + " (?, ?, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?, ?)");
    delete = connection.prepareStatement("DELETE FROM records WHERE id > ? AND id <= ?");
    reject =
        connection.prepareStatement(
            "INSERT INTO rejected SELECT *, ?, ?, ?, ? FROM records WHERE id = ?");
    ledger =
        connection.prepareStatement(
            "UPDATE meta SET settled_through=?, accepted=?, delivered=?, rejected=?, discarded=?");
    commit = connection.prepareStatement("COMMIT");
  }

  private static Totals readTotals(Connection connection) throws SQLException {
    try (var statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT accepted, delivered, rejected, discarded, settled_through,"
                    + " coalesce((SELECT seq FROM sqlite_sequence WHERE name='records'), 0)"
                    + " FROM meta")) {
      if (!row.next()) {
        throw new SQLException("meta has no row");
      }
      return new Totals(
          row.getLong(1),
          row.getLong(2),
          row.getLong(3),
          row.getLong(4),
          Math.max(row.getLong(6), row.getLong(5)),
          row.getLong(5));
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
  void append(List<? extends Append> appends) throws SQLException {
    long id = next.lastId();
    for (Append append : appends) {
      id++;
      addToInsert(id, append.record());
    }
    int[] _ = insert.executeBatch();
    next = next.withAppended(appends.size());
  }

  private void addToInsert(long id, NewRecord content) throws SQLException {
    insert.setLong(1, id);
    insert.setLong(2, content.receivedAt());
    insert.setBytes(3, content.jsonData());
    insert.setBytes(4, content.pipelines());
    insert.setBytes(5, content.apiKey());
    if (content.origin() == null) {
      insert.setNull(6, Types.VARCHAR);
    } else {
      insert.setString(6, content.origin());
    }
    insert.setLong(7, Checksum.of(id, content));
    insert.addBatch();
  }

  /// Deletes every pending record up to `through`.
  ///
  /// @return how many there were
  int acknowledge(long through) throws SQLException {
    long expected = through - next.settledThrough();
    delete.setLong(1, next.settledThrough());
    delete.setLong(2, through);
    int deleted = delete.executeUpdate();
    next = next.withDelivered(deleted, through);
    noteMissing(expected - deleted, through);
    return deleted;
  }

  /// Ids have no gaps: where rows are missing somebody else has been at the table. They are taken
  /// out of what was accepted, so that the ledger is right again.
  private void noteMissing(long missing, long through) {
    if (missing != 0) {
      next = next.withMissing(missing);
      broken("missing_records", missing, "through_id", through);
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
    long missing = id - 1 - next.settledThrough();
    next = next.withRejected(id);
    noteMissing(missing, id);
  }

  /// Does the next slice of what an operator decided about rejected records.
  Sweep.Slice sweep(Sweep sweep) throws SQLException {
    RejectedTable table = rejectedTable;
    if (table == null) {
      table = new RejectedTable(connection, bufferId);
      rejectedTable = table;
    }
    RejectedTable.Window window = table.look(sweep);
    List<Long> damaged = new ArrayList<>();
    int count = 0;
    for (PendingRecord record : window.records()) {
      if (sweep.action() == Sweep.Action.DISCARD) {
        table.delete(record.id());
        count++;
      } else if (record.sound()) {
        table.delete(record.id());
        count++;
        addToInsert(next.lastId() + count, record.content().withOrigin(record.idempotencyKey()));
      } else {
        damaged.add(record.id());
      }
    }
    if (sweep.action() == Sweep.Action.DISCARD) {
      next = next.withDiscarded(count);
    } else {
      int[] _ = insert.executeBatch();
      next = next.withRedriven(count);
    }
    checkRejected(next);
    return new Sweep.Slice(window.throughId(), count, damaged);
  }

  /// Whether the table `rejected` agrees with the ledger, by looking at its last row alone.
  private void checkRejected(Totals ledger) throws SQLException {
    long last = Long.parseLong(query("SELECT coalesce(max(id), 0) FROM rejected"));
    boolean right =
        ledger.rejected() == 0 ? last == 0 : last != 0 && last <= ledger.settledThrough();
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
    fields[figures.length] = "mend";
    fields[figures.length + 1] =
        "somebody changed rows of buffer.db by hand; what is left is delivered in order";
    Events.severe("ledger_broken", fields);
  }

  /// Whether as many rows are there as the ledger says, by counting them. Where rejected records
  /// were deleted by hand, the ledger is made right again; where pending ones were, it will be when
  /// their ids are passed. Not within a transaction.
  void countLedger(LedgerCount count) throws SQLException, StorageException {
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
      Events.info("ledger_not_counted", "reason", "there are too many rows to count them now");
    }
    if (differs(rejected, committed.rejected()) && rejected.complete()) {
      next = committed.withRejectedCounted(rejected.rows());
      transact(() -> rejected);
    }
  }

  private static boolean differs(Counted counted, long ledger) {
    return counted.complete() ? counted.rows() != ledger : counted.rows() > ledger;
  }

  /// Whether the rows' ids agree with the ledger, by looking at the first and the last alone.
  void checkLedger() throws SQLException {
    checkRejected(committed);
    long first = Long.parseLong(query("SELECT coalesce(min(id), 0) FROM records"));
    long last = Long.parseLong(query("SELECT coalesce(max(id), 0) FROM records"));
    long pending = committed.pending();
    boolean right =
        pending == 0
            ? first == 0
            : first == committed.settledThrough() + 1
                && last == committed.lastId()
                && last - first + 1 == pending;
    if (!right) {
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

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
