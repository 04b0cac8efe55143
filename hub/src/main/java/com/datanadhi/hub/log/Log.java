package com.datanadhi.hub.log;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;

/// An append-only write-ahead log of streams. `docs/hub/log-contract.md` states what an engine
/// promises, and one test kit checks it. Thread-safe.
///
/// Readers, whatever the durability of an append, see only what is on stable storage.
public interface Log extends AutoCloseable {
  /// The largest payload, in bytes: a transaction of the largest request with its envelope.
  int MAX_PAYLOAD = 10 * 1024 * 1024;

  /// The epoch that the next append gets. A log that lost its end has a new one.
  UUID epoch();

  /// Adds records to the end of a stream, all of them or none. Does not wait for the disk: the
  /// order of a stream is the order in which these calls return.
  ///
  /// @param stream `events-<partition>` or `control`; created by its first append
  Append append(String stream, List<NewEntry> entries, Durability durability);

  /// Reads from `from` on, in order and without gaps: at least one record if one is there, then as
  /// many as fit in both limits. Empty at the end.
  ///
  /// @throws DamagedException a record at or behind `from` cannot be read; what is before it is
  ///   returned by earlier calls
  /// @throws IOException the disk failed
  List<LogEntry> read(String stream, long from, int maxRecords, long maxBytes)
      throws IOException, DamagedException;

  /// The offset after the last record that readers can see. 0 for an empty stream.
  long stableEnd(String stream);

  /// The offset that the next append gets.
  long end(String stream);

  /// Waits until [#stableEnd] is greater than `offset`, the time is over, or the log is closed.
  ///
  /// @return whether it is greater
  boolean awaitStable(String stream, long offset, Duration timeout) throws InterruptedException;

  /// The first offset that is still there.
  long start(String stream);

  /// Seals the open segment, if it has records, and begins a new one.
  void rotate(String stream) throws IOException;

  /// Gives what is appended from now on a new epoch.
  void beginEpoch() throws IOException;

  /// The sealed segments of a stream and the open one, the oldest first.
  List<SegmentInfo> segments(String stream);

  /// Deletes a sealed segment. The caller has proven that nobody needs it.
  void deleteSegment(String stream, long firstOffset) throws IOException;

  /// Deletes a sealed segment of which records are lost, and keeps its file, if the engine has one,
  /// for somebody who looks for them. Nothing reads that file.
  default void setAsideSegment(String stream, long firstOffset) throws IOException {
    deleteSegment(stream, firstOffset);
  }

  /// The streams that exist.
  List<String> streams();

  LogStats stats();

  /// Completes with the failure if the log cannot go on, such as after a failed fsync: the process
  /// then ends.
  CompletionStage<Throwable> failure();

  /// Refuses new appends, makes everything accepted durable, and releases the files. Everything
  /// acknowledged stays readable by the next log on the same directory.
  @Override
  void close() throws IOException;
}
