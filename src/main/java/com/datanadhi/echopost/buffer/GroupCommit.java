package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Commits a batch in one transaction, and completes the work in it only after the commit has
/// returned, that is after fsync.
///
/// A commit that fails fails all that was in it, with three exceptions. On a full disk deletes are
/// tried again without the new records, in the space that [DiskReserve] frees. While another
/// process holds a lock, clients wait for a limited time. In a damaged buffer the same records are
/// committed to the new buffer that replaces it. Used by the writer thread alone.
final class GroupCommit {
  /// The records of one transaction, unless a single append has more: it bounds what one commit
  /// adds to the write-ahead log.
  static final int MAX_RECORDS = 4_096;

  /// The bytes of one transaction, likewise.
  static final int MAX_BYTES = 4 << 20;

  private static final long MIB = 1 << 20;

  private final ActiveWriter active;
  private final CommitQueue queue;
  private final DiskSpaceUpkeep upkeep;
  private final BufferListener listener;
  private final WriterMetrics metrics;
  private final CommitProgress progress;
  private final Clock clock;
  private final Duration lockTimeout;
  private boolean lockReported;

  /// @param lockTimeout how long clients wait while another process holds a lock on the file
  GroupCommit(
      ActiveWriter active,
      CommitQueue queue,
      DiskSpaceUpkeep upkeep,
      BufferListener listener,
      WriterMetrics metrics,
      CommitProgress progress,
      Clock clock,
      Duration lockTimeout) {
    this.active = active;
    this.queue = queue;
    this.upkeep = upkeep;
    this.listener = listener;
    this.metrics = metrics;
    this.progress = progress;
    this.clock = clock;
    this.lockTimeout = lockTimeout;
  }

  /// Commits what [CommitQueue#take] returned, and completes all of it.
  void commit(CommitQueue.Batch batch) {
    Long oldest = batch.oldestNanos();
    try {
      runBeforeTransaction(batch.tasks());
      BufferWriter first = active.get();
      while (!tryCommit(batch.appends(), batch.tasks(), oldest, first)) {
        // SQLite has waited its second for the lock, or there is a new buffer.
        Thread.onSpinWait();
      }
    } finally {
      queue.batchCompleted();
    }
  }

  /// Completes work that is in no commit, since the buffer is closed.
  void completeAsClosed(CommitQueue.Batch batch) {
    complete(batch.appends(), new AppendRequest.Outcome.Closed());
    failAll(batch.tasks(), new StorageException("the buffer is closed"));
    queue.batchCompleted();
  }

  private void runBeforeTransaction(List<WriterWork.Task<?>> tasks) {
    tasks.removeIf(task -> {
      boolean isFirst = task.has(WriterWork.Option.BEFORE_TRANSACTION);
      if (isFirst) {
        try {
          apply(task).run();
        } catch (SQLException failed) {
          fail(task, SqliteFailure.of("preparing a commit", failed));
        }
      }
      return isFirst;
    });
  }

  /// @param oldest when the oldest append was queued; null without appends
  /// @param first the writer when this was first tried
  /// @return false when the same should be tried again: another process holds a lock, or a new
  ///   buffer has replaced a damaged one
  private boolean tryCommit(
      List<WriterWork.Append> appends,
      List<WriterWork.Task<?>> tasks,
      @Nullable Long oldest,
      BufferWriter first) {
    StorageException known = active.failure();
    if (known != null) {
      failAll(appends, tasks, known);
      return true;
    }
    try {
      StorageException refusal = active.lost();
      if (refusal != null || upkeep.shortage() != 0) {
        complete(appends, refusal == null ? diskFull() : failed(refusal));
        // Completed once, also when the tasks are tried again.
        appends.clear();
        failMatching(
            tasks,
            GroupCommit::needsSpace,
            refusal == null ? new StorageException.Full() : refusal);
        transact(List.of(), tasks);
      } else {
        transact(appends, tasks);
        complete(appends, new AppendRequest.Outcome.Stored());
        if (!appends.isEmpty()) {
          listener.stored();
        }
      }
    } catch (StorageException.Full full) {
      boolean _ = upkeep.makeRoom();
      complete(appends, diskFull());
      // The reserve is for changes that free space.
      failMatching(tasks, GroupCommit::needsSpace, full);
      retryWithoutAppends(tasks);
    } catch (StorageException.Busy busy) {
      progress.blocked(
          active.get().space().writers()
              + " holds a write lock on buffer.db: close it, or end its transaction");
      if (waitsForLock(oldest)) {
        return false;
      }
      failAll(appends, tasks, busy);
    } catch (StorageException.Corrupted damaged) {
      if (active.get() == first && active.replace(damaged)) {
        // Other tasks are about rows that are not in the new buffer before the salvage.
        failMatching(tasks, task -> !task.has(WriterWork.Option.SURVIVES_REPLACEMENT), damaged);
        return false;
      }
      active.fail(damaged);
      failAll(appends, tasks, damaged);
    } catch (StorageException failed) {
      active.fail(failed);
      failAll(appends, tasks, failed);
    }
    return true;
  }

  private static boolean needsSpace(WriterWork.Task<?> task) {
    return task.has(WriterWork.Option.NEEDS_SPACE);
  }

  private void failMatching(
      List<WriterWork.Task<?>> tasks, Predicate<WriterWork.Task<?>> which, StorageException why) {
    tasks.removeIf(task -> {
      boolean fails = which.test(task);
      if (fails) {
        fail(task, why);
      }
      return fails;
    });
  }

  /// Whether to try again: nothing was written, so clients can wait while another process writes,
  /// but not forever.
  private boolean waitsForLock(@Nullable Long oldest) {
    boolean waits =
        oldest != null && !queue.isClosed() && clock.nanos() - oldest < lockTimeout.toNanos();
    if (!lockReported || !waits) {
      lockReported = waits;
      Events.warning(
          EventNames.BUFFER_LOCKED,
          "action",
          active.get().space().writers()
              + " holds a write lock on buffer.db: close it, and open it with sqlite3 -readonly",
          "calls",
          waits ? "wait" : "fail");
    }
    return waits;
  }

  /// Another program may take each byte that is free: the reserve is given up in small pieces until
  /// the rest of the work is done.
  private void retryWithoutAppends(List<WriterWork.Task<?>> tasks) {
    while (true) {
      try {
        if (!upkeep.prepareDelete() && upkeep.makeRoom()) {
          continue;
        }
        transact(List.of(), tasks);
        return;
      } catch (StorageException failed) {
        if (!(failed instanceof StorageException.Full) || !upkeep.makeRoom()) {
          active.failUnlessRecoverable(failed);
          failAll(tasks, failed);
          return;
        }
      }
    }
  }

  private void transact(List<WriterWork.Append> appends, List<WriterWork.Task<?>> tasks)
      throws StorageException {
    if (appends.isEmpty() && tasks.isEmpty()) {
      return;
    }
    long started = clock.nanos();
    List<NewRecord> records = new ArrayList<>();
    for (WriterWork.Append append : appends) {
      records.addAll(append.records());
    }
    List<Runnable> completions = new ArrayList<>(tasks.size());
    BufferWriter writer = active.get();
    List<Runnable> _ =
        writer.transact(() -> {
          boolean isFull = upkeep.shortage() != 0;
          int pages = isFull ? writer.space().pages() : 0;
          if (!records.isEmpty()) {
            writer.append(records);
          }
          for (WriterWork.Task<?> task : tasks) {
            completions.add(apply(task));
          }
          if (isFull) {
            upkeep.requireRoom(writer.space().pages() - pages);
          }
          return completions;
        });
    active.committed();
    progress.succeeded();
    lockReported = false;
    long ended = clock.nanos();
    metrics.committed(records.size(), ended - started);
    for (WriterWork.Append append : appends) {
      for (NewRecord one : append.records()) {
        metrics.stored(one, ended - append.queuedNanos());
      }
    }
    completions.forEach(Runnable::run);
  }

  /// Runs the task's step.
  ///
  /// @return completes the task, once the step is committed
  private <T> Runnable apply(WriterWork.Task<T> task) throws SQLException {
    T value = task.step().apply(active.get());
    return () -> {
      try {
        T result = task.afterCommit().apply(value);
        queue.completed(task);
        boolean _ = task.result().complete(result);
      } catch (StorageException failed) {
        fail(task, failed);
      }
    };
  }

  private AppendRequest.Outcome diskFull() {
    return new AppendRequest.Outcome.DiskFull(
        "the disk is full: "
            + (upkeep.shortage() + MIB - 1) / MIB
            + " MiB more must be free on the file system of the buffer before records are accepted"
            + " again");
  }

  private void failAll(
      List<WriterWork.Append> appends, List<WriterWork.Task<?>> tasks, StorageException why) {
    complete(appends, failed(why));
    failAll(tasks, why);
  }

  private static AppendRequest.Outcome failed(StorageException why) {
    return new AppendRequest.Outcome.Failed(String.valueOf(why.getMessage()));
  }

  private void failAll(List<WriterWork.Task<?>> tasks, StorageException why) {
    tasks.forEach(task -> fail(task, why));
  }

  private void fail(WriterWork.Task<?> task, StorageException why) {
    queue.completed(task);
    boolean _ = task.result().completeExceptionally(why);
  }

  private void complete(List<WriterWork.Append> appends, AppendRequest.Outcome outcome) {
    for (WriterWork.Append append : appends) {
      queue.completed(append);
      append.request().completed(outcome);
    }
  }
}
