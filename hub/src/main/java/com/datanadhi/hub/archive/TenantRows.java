package com.datanadhi.hub.archive;

import com.datanadhi.hub.apply.Chain;
import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A tenant's rows from a seq to another, as whole transactions, each row checked by itself. The
/// transactions of one log record come together: a rebuild from what ends with them goes on in the
/// log behind it. They are read in pages, so no snapshot of the database is held between two calls.
/// Used by one thread.
final class TenantRows {
  private static final int PAGE_ROWS = 2_000;
  private static final long PAGE_BYTES = 8L << 20;

  private final TenantDatabases databases;
  private final String tenant;
  private final long last;
  private final Deque<StoredEvent> page = new ArrayDeque<>();
  private final PipelineNames pipelineNames = new PipelineNames();
  private long nextSeq;
  private @Nullable List<StoredEvent> peeked;

  /// @param from the first seq, which begins a transaction
  /// @param last the last seq, which ends one
  TenantRows(TenantDatabases databases, String tenant, long from, long last) {
    this.databases = databases;
    this.tenant = tenant;
    this.last = last;
    nextSeq = from;
  }

  /// The database is not what it was when the reading began: it was set aside and is being rebuilt.
  static final class ChangedException extends Exception {
    private static final long serialVersionUID = 1;

    ChangedException() {
      super("its database is not yet what was applied: it is being rebuilt");
    }
  }

  /// The next transactions, which stay the next ones; null behind the last one.
  @Nullable List<StoredEvent> peek()
      throws ViewException, AlarmException, ChangedException, InterruptedException {
    if (peeked == null && nextSeq <= last) {
      peeked = transactions();
    }
    return peeked;
  }

  /// Passes over the transactions that [#peek] returned.
  void take() {
    peeked = null;
  }

  /// The seq of the next row that [#take] has not passed over.
  long nextSeq() {
    return peeked == null ? nextSeq : peeked.getFirst().seq();
  }

  /// Adds all that is left to a chain.
  void addTo(Chain chain)
      throws ViewException, AlarmException, ChangedException, InterruptedException {
    for (List<StoredEvent> rows = peek(); rows != null; rows = peek()) {
      add(chain, rows);
      take();
    }
  }

  /// Adds rows to a chain.
  void add(Chain chain, List<StoredEvent> rows) {
    for (StoredEvent row : rows) {
      chain.add(row, pipelineNames.of(row.pipelines()));
    }
  }

  private List<StoredEvent> transactions()
      throws ViewException, AlarmException, ChangedException, InterruptedException {
    List<StoredEvent> rows = new ArrayList<>();
    Transactions whole = new Transactions();
    while (nextSeq <= last) {
      if (page.isEmpty()) {
        readPage();
      }
      StoredEvent row = page.getFirst();
      boolean beginsLogRecord =
          row.part() == 1 && !rows.isEmpty() && !row.position().equals(rows.getFirst().position());
      if (beginsLogRecord) {
        break;
      }
      check(row, whole);
      rows.add(page.removeFirst());
      nextSeq++;
    }
    return rows;
  }

  private void check(StoredEvent row, Transactions whole) throws AlarmException {
    if (row.seq() != nextSeq) {
      throw wrong("the row with seq " + nextSeq + " is missing");
    }
    if (!whole.continues(row)) {
      throw wrong("the row with seq " + nextSeq + " tears a transaction");
    }
    if (row.hasContent() && !Digests.record(row.logData()).equals(row.sha256())) {
      throw wrong("log_data of seq " + nextSeq + " is not what its sha256 says");
    }
    try {
      List<String> _ = pipelineNames.of(row.pipelines());
    } catch (IllegalArgumentException notNames) {
      throw wrong("seq " + nextSeq + ": " + notNames.getMessage());
    }
  }

  private void readPage()
      throws ViewException, AlarmException, ChangedException, InterruptedException {
    int rows = (int) Math.min(PAGE_ROWS, last - nextSeq + 1);
    ViewState state =
        databases.read(
            tenant,
            reader -> {
              ViewState before = reader.state();
              long[] bytes = {0};
              reader.events(
                  new EventFilter(nextSeq, rows, null, null, null),
                  row -> {
                    page.add(row);
                    bytes[0] += row.bytes();
                    return bytes[0] < PAGE_BYTES;
                  });
              return before;
            });
    if (state.seq() < last) {
      throw new ChangedException();
    }
    if (state.firstSeq() > nextSeq) {
      throw wrong(
          "rows from seq "
              + nextSeq
              + " to "
              + (state.firstSeq() - 1)
              + " have left the database before they were archived");
    }
    if (page.isEmpty()) {
      throw wrong("rows from seq " + nextSeq + " on are missing");
    }
  }

  private AlarmException wrong(String what) {
    return new AlarmException(
        "canonical.db: "
            + what
            + "; set its files aside, and the hub rebuilds it from the log or the archive");
  }
}
