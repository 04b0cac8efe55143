package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;

/// Reads pending records for replay, follows the writer to a new file, and reports damage to the
/// writer.
///
/// Used by one thread at a time.
final class ReplayReader implements AutoCloseable {
  private final Path file;
  private final CommitPipeline commits;
  private PendingQuery query;
  private BufferWriter writer;
  private boolean isFileChecked;

  /// @param query reads what `writer` writes
  ReplayReader(Path file, CommitPipeline commits, PendingQuery query, BufferWriter writer) {
    this.file = file;
    this.commits = commits;
    this.query = query;
    this.writer = writer;
  }

  /// See [Buffer#read].
  List<PendingRecord> read(int maxRecords, long maxBytes)
      throws StorageException, InterruptedException {
    BufferWriter current = commits.writer();
    Totals totals = commits.totals();
    try {
      follow(current);
      List<PendingRecord> rows =
          query.read(totals.settledThrough(), totals.lastId(), maxRecords, maxBytes);
      if (!isFileChecked && !totals.isConsistentWith(rows)) {
        query.check();
        isFileChecked = true;
      }
      if (rows.isEmpty() && totals.lastId() > totals.settledThrough()) {
        // Another program emptied the table: settles the missing ids, but not what was appended
        // since.
        int _ =
            CommitPipeline.await(
                commits.restore(now -> now == current ? now.acknowledge(totals.lastId()) : 0));
      }
      return rows;
    } catch (SQLException | StorageException.Corrupted failed) {
      StorageException kind =
          failed instanceof SQLException sql
              ? SqliteFailure.of("reading", sql)
              : (StorageException) failed;
      if (kind.isCorruption()) {
        int _ = CommitPipeline.await(commits.replaceBuffer(current, kind));
      }
      throw kind;
    }
  }

  /// See [Buffer#readAhead].
  List<PendingRecord> readAhead(long afterId, int maxRecords, long maxBytes)
      throws StorageException {
    if (!isCurrent()) {
      return List.of();
    }
    try {
      List<PendingRecord> rows =
          query.read(afterId, commits.totals().lastId(), maxRecords, maxBytes);
      boolean hasGap = !rows.isEmpty() && rows.getLast().id() != afterId + rows.size();
      return hasGap ? List.of() : rows;
    } catch (SQLException failed) {
      throw SqliteFailure.of("reading", failed);
    }
  }

  /// Whether the writer still has the file that was read last.
  boolean isCurrent() {
    return commits.writer() == writer;
  }

  private void follow(BufferWriter current) throws SQLException, StorageException {
    if (current != writer) {
      query.close();
      query = PendingQuery.open(file, current.bufferId());
      writer = current;
      isFileChecked = false;
    }
  }

  @Override
  public void close() throws SQLException {
    query.close();
  }
}
