package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.buffer.BoundedRowCount.Counted;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.Totals;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;

/// Compares the ledger with the rows, logs where they disagree, and corrects the ledger.
///
/// They disagree after rows were changed by another program. Used by one thread at a time, as
/// [BufferWriter] is, except [#foundBroken].
final class LedgerCheck {
  private final Connection connection;
  private final Ledger ledger;
  private volatile boolean broken;

  LedgerCheck(Connection connection, Ledger ledger) {
    this.connection = connection;
    this.ledger = ledger;
  }

  /// Whether the ledger was found wrong in this run. Any thread.
  boolean foundBroken() {
    return broken;
  }

  /// Subtracts missing rows from what was accepted: ids have no gaps, so where rows are missing
  /// another program has deleted them. Within a transaction.
  void correctMissing() {
    Totals next = ledger.next();
    long missing = next.missing();
    if (missing != 0) {
      ledger.setNext(next.withMissing(missing));
      report("missing_records", missing, "through_id", next.settledThrough());
    }
  }

  /// Compares `totals` with the last row of `rejected` alone.
  void checkRejected(Totals totals) throws SQLException {
    long last = number("SELECT coalesce(max(id), 0) FROM rejected");
    boolean right =
        totals.rejected() == 0
            ? last == 0
            : last != 0 && last <= Math.max(totals.settledThrough(), totals.salvagedThrough());
    if (!right) {
      report(
          "rejected_by_ledger",
          totals.rejected(),
          "settled_through",
          totals.settledThrough(),
          "last_rejected_id",
          last);
    }
  }

  /// Compares the committed ledger with the first and the last id alone. A row that exists is not
  /// settled, whatever the ledger has.
  void checkIds() throws SQLException {
    Totals committed = ledger.committed();
    checkRejected(committed);
    long first = number("SELECT coalesce(min(id), 0) FROM records");
    long last = number("SELECT coalesce(max(id), 0) FROM records");
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
        ledger.correct(committed);
      }
      report(
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

  /// Compares the committed ledger with the rows, by counting them. Where rejected records were
  /// deleted by another program, the ledger is corrected; where pending ones were, that happens
  /// when their ids are settled. Not within a transaction.
  ///
  /// @return whether the next totals differ and are to be committed
  boolean count(BoundedRowCount count) throws SQLException {
    Totals committed = ledger.committed();
    Counted rejected = count.rowsOf(connection, "rejected");
    Counted pending = count.rowsOf(connection, "records");
    boolean rejectedDiffer = differs(rejected, committed.rejected());
    if (rejectedDiffer || differs(pending, committed.pending())) {
      report(
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
    boolean corrects = rejectedDiffer && rejected.complete();
    if (corrects) {
      ledger.setNext(committed.withRejectedCounted(rejected.rows()));
    }
    return corrects;
  }

  private static boolean differs(Counted counted, long ledger) {
    return counted.complete() ? counted.rows() != ledger : counted.rows() > ledger;
  }

  private long number(String sql) throws SQLException {
    return Long.parseLong(Sql.query(connection, sql));
  }

  private void report(Object... figures) {
    broken = true;
    Object[] fields = Arrays.copyOf(figures, figures.length + 2);
    fields[figures.length] = "action";
    fields[figures.length + 1] =
        "another program changed rows of buffer.db: open it with sqlite3 -readonly only; the rows"
            + " that are left are delivered in order";
    Events.severe(EventNames.LEDGER_BROKEN, fields);
  }
}
