package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.salvage.Watermark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.sqlite.ProgressHandler;

/// Reads a whole buffer and finds what is wrong with it. Changes nothing, and works with or without
/// a running agent.
///
/// SQLite's own check, and the count of the rows against the ledger, need one consistent snapshot:
/// each is one read transaction. Such a transaction blocks checkpoints, so it is stopped when the
/// write-ahead log has grown by its limit meanwhile, which happens only beside a busy agent. The
/// records, which are most of the work, are read in short ranges. Confined to one thread.
public final class BufferCheck {
  private static final int MAX_PROBLEMS = 100;
  private static final int CHECK_LOG_EVERY_OPS = 2_000;
  private static final int INTERRUPTED = 9;

  /// The kinds of problems.
  public enum Kind {
    /// The file is not a sound database, or not the one that was last written.
    FILE,
    /// A damaged buffer was quarantined, and its sound records are not fully restored.
    SALVAGE,
    /// The rows do not match the ledger.
    LEDGER,
    /// A pending record's checksum does not match.
    PENDING_RECORD,
    /// A rejected record's checksum does not match.
    REJECTED_RECORD
  }

  /// A problem.
  ///
  /// @param description what is wrong, in words
  /// @param id the id of the record; 0 when it is not about one record
  public record Problem(Kind kind, String description, long id) {}

  /// The result of a check.
  ///
  /// @param totals the ledger; null when it cannot be read
  /// @param checked how many records had their checksums compared
  /// @param problems the first hundred problems
  /// @param more how many other problems there are
  /// @param unfinished the parts that were stopped, in words
  public record Result(
      @Nullable Totals totals,
      long checked,
      List<Problem> problems,
      long more,
      List<String> unfinished) {
    /// Whether the finished parts found nothing wrong.
    public boolean isSound() {
      return problems.isEmpty();
    }
  }

  private final Path directory;
  private final LongSupplier logBytes;
  private final long logLimit;
  private final LongConsumer progress;
  private final List<Problem> problems = new ArrayList<>();
  private final List<String> unfinished = new ArrayList<>();
  private @Nullable Totals totals;
  private long more;
  private long checked;

  private BufferCheck(Path directory, LongSupplier logBytes, long logLimit, LongConsumer progress) {
    this.directory = directory;
    this.logBytes = logBytes;
    this.logLimit = logLimit;
    this.progress = progress;
  }

  /// Checks the buffer in `directory`.
  ///
  /// @param progress receives the number of records checked so far, from time to time
  /// @throws StorageException when the buffer cannot be read for a reason other than damage
  public static Result run(Path directory, LongConsumer progress)
      throws StorageException, IOException {
    Path log = DirectoryLayout.wal(DirectoryLayout.buffer(directory));
    return run(directory, () -> log.toFile().length(), new Volume(directory).walLimit(), progress);
  }

  /// As above.
  ///
  /// @param logBytes how large the write-ahead log is
  /// @param logLimit by how much it may grow while a read transaction is held
  static Result run(Path directory, LongSupplier logBytes, long logLimit, LongConsumer progress)
      throws StorageException, IOException {
    BufferCheck check = new BufferCheck(directory, logBytes, logLimit, progress);
    check.run();
    return new Result(check.totals, check.checked, check.problems, check.more, check.unfinished);
  }

  private void run() throws StorageException, IOException {
    Path file = DirectoryLayout.buffer(directory);
    // Read before the ledger, which it is never ahead of.
    Watermark.Mark mark = Watermark.read(file);
    if (mark != null && Files.size(file) == 0) {
      add(Kind.FILE, "buffer.db is empty, and was not", 0);
      return;
    }
    try (BufferView view = BufferView.openUnchecked(directory)) {
      integrity(view.connection());
      count(view, mark);
      Totals known = totals;
      if (known != null) {
        rows(view, BufferView.Table.PENDING, known);
        rows(view, BufferView.Table.REJECTED, known);
      }
    } catch (StorageException failed) {
      if (!failed.isCorruption()) {
        throw failed;
      }
      if (problems.stream().noneMatch(problem -> problem.kind() == Kind.FILE)) {
        add(Kind.FILE, String.valueOf(failed.getMessage()), 0);
      }
    }
  }

  private void integrity(Connection connection) throws StorageException {
    boolean _ =
        inOneTransaction(
            connection,
            "SQLite's integrity check",
            () -> {
              try (Statement statement = connection.createStatement();
                  ResultSet rows =
                      statement.executeQuery("PRAGMA integrity_check(" + MAX_PROBLEMS + ")")) {
                while (rows.next()) {
                  String found = rows.getString(1);
                  if (!found.equals("ok")) {
                    add(Kind.FILE, "buffer.db: " + found.replace('\n', ' '), 0);
                  }
                }
              }
            });
  }

  private void count(BufferView view, Watermark.@Nullable Mark mark) throws StorageException {
    Connection connection = view.connection();
    boolean done =
        inOneTransaction(
            connection,
            "the count of all rows",
            () -> {
              Totals now = Ledger.read(connection);
              totals = now;
              compare("pending", now.pending(), rowsOf(connection, "records"));
              compare("rejected", now.rejected(), rowsOf(connection, "rejected"));
              salvages(connection);
            });
    Totals now = totals;
    if (!done && now == null) {
      now = readTotals(connection);
      totals = now;
    }
    if (mark != null && !view.matches(mark)) {
      add(Kind.FILE, BufferView.NOT_LAST_WRITTEN, 0);
    }
  }

  private static Totals readTotals(Connection connection) throws StorageException {
    try {
      return Ledger.read(connection);
    } catch (SQLException failed) {
      throw SqliteFailure.of("reading", failed);
    }
  }

  private void compare(String what, long ledger, long rows) {
    if (ledger != rows) {
      add(
          Kind.LEDGER,
          "the ledger counts " + ledger + " " + what + " records, and the table has " + rows,
          0);
    }
  }

  private static long rowsOf(Connection connection, String table) throws SQLException {
    return Long.parseLong(Sql.query(connection, "SELECT count(*) FROM " + table));
  }

  private void salvages(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT file FROM salvage")) {
      while (rows.next()) {
        add(Kind.SALVAGE, "the salvage of " + rows.getString(1) + " is not finished", 0);
      }
    }
  }

  /// A part of the check that needs one consistent snapshot.
  private interface SnapshotCheck {
    void run() throws SQLException, StorageException;
  }

  /// Runs `part` in one read transaction, which is stopped when the log grows too much.
  ///
  /// @return whether it was finished
  private boolean inOneTransaction(Connection connection, String what, SnapshotCheck part)
      throws StorageException {
    long before = logBytes.getAsLong();
    try {
      ProgressHandler.setHandler(
          connection,
          CHECK_LOG_EVERY_OPS,
          new ProgressHandler() {
            @Override
            protected int progress() {
              return logBytes.getAsLong() - before > logLimit ? 1 : 0;
            }
          });
      Sql.execute(connection, "BEGIN");
      try {
        part.run();
        return true;
      } finally {
        ProgressHandler.clearHandler(connection);
        Sql.execute(connection, "COMMIT");
      }
    } catch (SQLException failed) {
      if (SqliteFailure.resultCode(failed) == INTERRUPTED) {
        unfinished.add(what);
        return false;
      }
      throw SqliteFailure.of("checking", failed);
    }
  }

  /// Checks the rows one by one, and the ids of pending ones: above `salvagedThrough` only settled
  /// ids may be missing.
  private void rows(BufferView view, BufferView.Table table, Totals atStart)
      throws StorageException {
    boolean pending = table == BufferView.Table.PENDING;
    long through = pending ? atStart.lastId() : view.lastId(table);
    long last = pending ? Math.max(atStart.settledThrough(), atStart.salvagedThrough()) : 0;
    List<BufferView.Entry> page = view.page(table, 0, through);
    while (!page.isEmpty()) {
      for (BufferView.Entry entry : page) {
        PendingRecord record = entry.record();
        checked++;
        if (!record.sound()) {
          add(
              pending ? Kind.PENDING_RECORD : Kind.REJECTED_RECORD,
              (pending ? "pending" : "rejected")
                  + " record "
                  + record.id()
                  + ": its checksum does not match",
              record.id());
        }
        if (pending && record.id() <= atStart.settledThrough()) {
          add(
              Kind.LEDGER,
              "by the ledger all ids up to "
                  + atStart.settledThrough()
                  + " are settled, and "
                  + record.id()
                  + " is pending",
              record.id());
        }
        if (pending && record.id() > last) {
          gap(view, last, record.id());
          last = record.id();
        }
      }
      progress.accept(checked);
      page = view.page(table, page.getLast().record().id(), through);
    }
    if (pending) {
      gap(view, last, through + 1);
    }
  }

  private void gap(BufferView view, long before, long behind) throws StorageException {
    if (behind - before <= 1) {
      return;
    }
    // Ids that are settled by now were delivered or rejected meanwhile.
    long from = Math.max(before, view.totals().settledThrough()) + 1;
    if (from < behind) {
      add(
          Kind.LEDGER,
          "pending records are missing that were not settled: id "
              + from
              + (from == behind - 1 ? "" : " to " + (behind - 1)),
          from);
    }
  }

  private void add(Kind kind, String what, long id) {
    if (problems.size() < MAX_PROBLEMS) {
      problems.add(new Problem(kind, what, id));
    } else {
      more++;
    }
  }
}
