package com.datanadhi.echopost.buffer;

import static com.datanadhi.echopost.buffer.WriterWork.Option.BEFORE_TRANSACTION;
import static com.datanadhi.echopost.buffer.WriterWork.Option.COUNTS_AS_RECORD;
import static com.datanadhi.echopost.buffer.WriterWork.Option.NEEDS_SPACE;
import static com.datanadhi.echopost.buffer.WriterWork.Option.SURVIVES_REPLACEMENT;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.Settlement;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.time.Clock;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Every change of the buffer on its way to the one writer: from [CommitQueue] through
/// [WriterThread] and [GroupCommit] to the [ActiveWriter].
///
/// Thread-safe; only [#close] and [#await] block. Each future completes in the writer thread when
/// the change is on stable storage, or with the [StorageException] for which it was not made.
final class CommitPipeline {
  private final Clock clock;
  private final BufferListener listener;
  private final CommitQueue queue = new CommitQueue();
  private final WriterMetrics metrics = new WriterMetrics();
  private final CommitProgress progress = new CommitProgress();
  private final AtomicLong rejections = new AtomicLong();
  private final ActiveWriter active;
  private final DiskSpaceUpkeep upkeep;
  private final NameUpkeep names;
  private final WriterThread thread;

  /// @param lockTimeout how long clients wait while another process holds a lock on the file
  CommitPipeline(
      BufferWriter writer,
      DiskReserve reserve,
      BufferListener listener,
      Clock clock,
      Duration lockTimeout,
      ActiveWriter.Replacement replacement) {
    this.clock = clock;
    this.listener = listener;
    this.active = new ActiveWriter(writer, replacement, listener, clock);
    this.upkeep = new DiskSpaceUpkeep(active, reserve, progress);
    this.names = new NameUpkeep(active, reserve, clock);
    GroupCommit commits =
        new GroupCommit(active, queue, upkeep, listener, metrics, progress, clock, lockTimeout);
    this.thread = new WriterThread(queue, commits, upkeep, active, progress, clock);
  }

  void start() {
    thread.start();
  }

  /// Commits what waits, then ends the writer thread.
  void close() throws InterruptedException {
    thread.close();
  }

  void append(AppendRequest request, long nowNanos) {
    thread.enqueue(WriterWork.Append.of(request, nowNanos));
  }

  private <T> CompletableFuture<T> submit(WriterWork.Task<T> task) {
    thread.enqueue(task);
    return task.result();
  }

  /// Deletes the pending records up to `through`; the result is how many there were. An
  /// acknowledgement counts in a new buffer too: what is settled there is not salvaged.
  CompletableFuture<Integer> acknowledge(long through) {
    return submit(WriterWork.Task.of(writer -> writer.acknowledge(through), SURVIVES_REPLACEMENT));
  }

  /// The same for at most the first `limit` records.
  CompletableFuture<Integer> acknowledge(long through, int limit) {
    return submit(
        WriterWork.Task.of(writer -> writer.acknowledge(through, limit), SURVIVES_REPLACEMENT));
  }

  /// Moves the first pending record to `rejected`.
  CompletableFuture<Integer> reject(Rejection rejection) {
    return submit(
        WriterWork.Task.of(
            writer -> {
              writer.reject(rejection);
              return 1;
            },
            this::countRejections));
  }

  /// Deletes and moves the records of a batch; the result is how many were rejected.
  CompletableFuture<Integer> settle(Settlement settlement) {
    return submit(WriterWork.Task.of(writer -> writer.settle(settlement), this::countRejections));
  }

  private int countRejections(int moved) {
    long _ = rejections.addAndGet(moved);
    return moved;
  }

  /// Applies the next batch of `range`. It counts as a record that waits.
  CompletableFuture<RejectedRange.Batch> apply(RejectedRange range) {
    boolean redrives = range.action() == RejectedRange.Action.REDRIVE;
    WriterWork.Step<RejectedRange.Batch> step = writer -> writer.apply(range);
    WriterWork.AfterCommit<RejectedRange.Batch> report =
        batch -> {
          if (batch.count() > 0) {
            Events.info(
                redrives ? EventNames.REJECTED_REDRIVEN : EventNames.REJECTED_DISCARDED,
                "records",
                batch.count(),
                "through_id",
                batch.throughId());
          }
          if (redrives) {
            listener.stored();
          }
          return batch;
        };
    return submit(
        redrives
            ? WriterWork.Task.of(step, report, COUNTS_AS_RECORD, NEEDS_SPACE)
            : WriterWork.Task.of(step, report, COUNTS_AS_RECORD));
  }

  /// Stores the records of an operator's batch; the result is how many. It counts as a record that
  /// waits.
  CompletableFuture<Integer> importBatch(ImportBatch batch) {
    return submit(
        WriterWork.Task.of(
            writer -> writer.importBatch(batch, clock.millis()),
            stored -> {
              if (stored > 0) {
                Events.info(EventNames.RECORDS_IMPORTED, "records", stored);
                listener.stored();
              }
              return stored;
            },
            COUNTS_AS_RECORD,
            NEEDS_SPACE));
  }

  /// Runs a step of a salvage.
  CompletableFuture<Integer> restore(WriterWork.Step<Integer> step) {
    return submit(WriterWork.Task.of(step, NEEDS_SPACE));
  }

  /// Gives some free pages back to the file system and empties the write-ahead log; the result is
  /// how many free pages are left.
  CompletableFuture<Integer> reclaimSpace() {
    return submit(WriterWork.Task.of(writer -> writer.space().shrinkStep(), upkeep::reclaimSpace));
  }

  /// A reader found the file of `damaged` damaged: puts a new buffer in its place, unless that was
  /// done before.
  CompletableFuture<Integer> replaceBuffer(BufferWriter damaged, StorageException why) {
    return submit(
        WriterWork.Task.of(
            writer -> {
              active.replaceIfActive(damaged, why);
              return 0;
            },
            BEFORE_TRANSACTION));
  }

  /// Whether a file has lost its name, so that [#restoreNames] has something to do.
  boolean hasLostNames() {
    return names.areLost();
  }

  /// Puts files that have lost their names back.
  CompletableFuture<Integer> restoreNames() {
    return submit(
        WriterWork.Task.of(
            _ -> {
              names.restore();
              return 0;
            },
            BEFORE_TRANSACTION));
  }

  /// Puts files that have lost their names back, for the last time. After [#close].
  ///
  /// @return why that failed; null when it did not
  @Nullable StorageException restoreNamesNow() {
    names.restoreNow();
    return active.lost();
  }

  /// Waits for a change.
  ///
  /// @throws StorageException why it was not made
  static int await(CompletableFuture<Integer> change)
      throws StorageException, InterruptedException {
    try {
      return change.get();
    } catch (ExecutionException failed) {
      throw failed.getCause() instanceof StorageException storage
          ? storage
          : new StorageException("the buffer failed", failed);
    }
  }

  /// The writer in use.
  BufferWriter writer() {
    return active.get();
  }

  /// The ledger as of the last commit.
  Totals totals() {
    return active.totals();
  }

  /// The reason why the storage is unusable, or null while it is usable.
  @Nullable StorageException failure() {
    return active.failure();
  }

  /// Why commits do not succeed now, one line for people; null if they do.
  @Nullable String problem() {
    return progress.problem(clock.nanos());
  }

  /// The number of records that were moved to `rejected`.
  long rejections() {
    return rejections.get();
  }

  /// The number of records of clients that were stored.
  long accepted() {
    return metrics.records();
  }

  int waitingRecords() {
    return queue.waitingRecords();
  }

  long waitingBytes() {
    return queue.waitingBytes();
  }

  /// The time since which the oldest waiting append has waited without progress: when it was
  /// queued, or the last step of a copy. Null when none waits.
  @Nullable Long oldestWaitingNanos() {
    Long oldest = queue.oldestWaitingNanos();
    long progress = active.progressNanos();
    return oldest == null || oldest - progress >= 0 ? oldest : (Long) progress;
  }

  /// Writes the metrics of the writer and its queue.
  void writeTo(Exposition out) {
    metrics.writeTo(out);
    out.gauge(
        "echopost_append_queue_records", "Records that wait for their commit.", waitingRecords());
    out.gauge(
        "echopost_append_queue_bytes",
        "Size in memory of the records that wait for their commit.",
        waitingBytes());
  }
}
