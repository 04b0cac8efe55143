package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.StorageException;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/// A unit of work for the writer thread: an append, or a task that takes part in the same
/// transaction. Immutable, except the future of a task.
sealed interface WriterWork {
  /// The new records that it brings.
  List<NewRecord> records();

  /// Their size, in bytes.
  long bytes();

  /// The number of waiting records that it counts as.
  int waitingRecords();

  /// Records of a client.
  ///
  /// @param bytes the size of the records
  /// @param queuedNanos when they were queued, by the buffer's clock
  record Append(AppendRequest request, long bytes, long queuedNanos) implements WriterWork {
    static Append of(AppendRequest request, long queuedNanos) {
      long bytes = 0;
      for (NewRecord one : request.records()) {
        bytes += one.size();
      }
      return new Append(request, bytes, queuedNanos);
    }

    @Override
    public List<NewRecord> records() {
      return request.records();
    }

    @Override
    public int waitingRecords() {
      return records().size();
    }
  }

  /// Options of a task.
  enum Option {
    /// Runs before the transaction starts, and is no part of it.
    BEFORE_TRANSACTION,
    /// Fails while the disk is full: the reserve is for deletes and checkpoints alone.
    NEEDS_SPACE,
    /// Runs in the new buffer if the old one is found damaged; other tasks fail then.
    SURVIVES_REPLACEMENT,
    /// Counts as one record that waits for its commit.
    COUNTS_AS_RECORD
  }

  /// The part of a task that runs within the transaction.
  interface Step<T> {
    T apply(BufferWriter writer) throws SQLException;
  }

  /// The part of a task that runs when the transaction is on stable storage, before the task's
  /// future completes.
  interface AfterCommit<T> {
    /// Turns the value that the step returned into the result of the task.
    ///
    /// @throws StorageException when this part failed; what was committed stays so
    T apply(T value) throws StorageException;
  }

  /// A change other than an append.
  ///
  /// @param result completes in the writer thread after the commit, or with the [StorageException]
  ///   for which the step was not committed
  record Task<T>(
      Set<Option> options, Step<T> step, AfterCommit<T> afterCommit, CompletableFuture<T> result)
      implements WriterWork {
    static <T> Task<T> of(Step<T> step, Option... options) {
      return of(step, value -> value, options);
    }

    static <T> Task<T> of(Step<T> step, AfterCommit<T> afterCommit, Option... options) {
      return new Task<>(Set.of(options), step, afterCommit, new CompletableFuture<>());
    }

    boolean has(Option option) {
      return options.contains(option);
    }

    @Override
    public List<NewRecord> records() {
      return List.of();
    }

    @Override
    public long bytes() {
      return 0;
    }

    @Override
    public int waitingRecords() {
      return has(Option.COUNTS_AS_RECORD) ? 1 : 0;
    }
  }
}
