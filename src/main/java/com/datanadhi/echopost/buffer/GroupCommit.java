package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.RejectedBatch;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.time.AdaptiveSpin;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The one writer: takes all that waits, in its order, writes it in one transaction, and says so
/// only after the commit has returned, that is after fsync.
///
/// While one commit is under way the next batch gathers, so the dearer the disk, the larger the
/// batches. What was appended together stays together. A platform thread of its own, since SQLite's
/// calls would pin a virtual thread's carrier. A commit that fails fails all that was in it; when
/// the disk is full, deletes are tried again without the new records, on the room that
/// [DiskReserve] gives up.
final class GroupCommit {
  private static final int MAX_RECORDS = 4_096;
  private static final int MAX_BYTES = 4 << 20;
  private static final long HOUSEKEEPING_NANOS = 20_000_000;
  private static final long FULL_CHECK_NANOS = 250_000_000;

  /// So many new buffers in so long, and the disk is to blame: one after the other would be begun.
  private static final int MAX_REPLACEMENTS = 3;

  private static final long REPLACEMENT_WINDOW_NANOS = 60_000_000_000L;

  /// Something to be committed.
  private sealed interface Work {
    /// The new records in it.
    default List<NewRecord> records() {
      return List.of();
    }

    /// What those weigh.
    default long bytes() {
      return 0;
    }

    record Add(AppendRequest append, long bytes, long offeredNanos) implements Work {
      @Override
      public List<NewRecord> records() {
        return append.records();
      }
    }

    record Acknowledge(long through, CompletableFuture<Integer> done) implements Work {}

    record Reject(Rejection rejection, CompletableFuture<Integer> done) implements Work {}

    record Sweeping(RejectedBatch sweep, CompletableFuture<RejectedBatch.Slice> done)
        implements Work {}

    record Tidy(CompletableFuture<Integer> done) implements Work {}

    record Restore(Step step, CompletableFuture<Integer> done) implements Work {}

    record ReplaceBuffer(
        BufferWriter damaged, StorageException why, CompletableFuture<Integer> done)
        implements Work {}
  }

  /// One part of a transaction.
  interface Step {
    int apply(BufferWriter writer) throws SQLException;
  }

  /// Begins a new buffer in the place of a damaged one.
  interface Replacement {
    /// Sets the damaged one aside and closes its connection.
    BufferWriter create(BufferWriter damaged, StorageException why) throws StorageException;
  }

  private final Replacement replacement;
  private final DiskReserve reserve;
  private final BufferListener listener;
  private final Clock clock;
  private final Duration lockPatience;
  private final AdaptiveSpin lookout;
  private final ConcurrentLinkedQueue<Work> queue = new ConcurrentLinkedQueue<>();
  private final AtomicInteger waitingRecords = new AtomicInteger();
  private final AtomicLong waitingBytes = new AtomicLong();
  private final AtomicLong rejections = new AtomicLong();
  private final WriterMetrics measures = new WriterMetrics();
  private final Thread thread;
  private volatile BufferWriter writer;
  private volatile Totals totals;
  private volatile @Nullable StorageException failure;
  private final AtomicBoolean parked = new AtomicBoolean();
  private volatile boolean closing;
  private boolean lockReported;
  private final Deque<Long> replacedAt = new ArrayDeque<>();
  private volatile long oldestNanos = Long.MIN_VALUE;

  GroupCommit(
      BufferWriter writer,
      DiskReserve reserve,
      BufferListener listener,
      Clock clock,
      Duration lockPatience,
      Replacement replacement) {
    this.replacement = replacement;
    this.clock = clock;
    this.lockPatience = lockPatience;
    this.lookout = new AdaptiveSpin(clock);
    this.writer = writer;
    this.reserve = reserve;
    this.listener = listener;
    this.totals = writer.totals();
    this.thread = Thread.ofPlatform().name("buffer-writer").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  Totals totals() {
    return totals;
  }

  /// The one that writes now.
  BufferWriter writer() {
    return writer;
  }

  long rejections() {
    return rejections.get();
  }

  /// How many records were stored that clients sent.
  long accepted() {
    return measures.records();
  }

  /// Writes what the writer measured.
  void writeTo(Exposition out) {
    measures.writeTo(out);
    out.gauge(
        "echopost_append_queue_records", "Records that wait for their commit.", waitingRecords());
    out.gauge("echopost_append_queue_bytes", "What those weigh in memory.", waitingBytes());
  }

  int waitingRecords() {
    return waitingRecords.get();
  }

  long waitingBytes() {
    return waitingBytes.get();
  }

  /// When the oldest record of the commit that is under way, or that is next, was offered; null
  /// when none waits.
  @Nullable Long oldestWaitingNanos() {
    long underWay = oldestNanos;
    if (underWay != Long.MIN_VALUE) {
      return underWay;
    }
    return queue.peek() instanceof Work.Add add ? add.offeredNanos() : null;
  }

  @Nullable StorageException failure() {
    return failure;
  }

  void append(AppendRequest append, long nowNanos) {
    long bytes = 0;
    for (NewRecord one : append.records()) {
      bytes += one.size();
    }
    waitingRecords.addAndGet(append.records().size());
    waitingBytes.addAndGet(bytes);
    offer(new Work.Add(append, bytes, nowNanos));
  }

  CompletableFuture<Integer> acknowledge(long through) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    offer(new Work.Acknowledge(through, done));
    return done;
  }

  CompletableFuture<Integer> reject(Rejection rejection) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    offer(new Work.Reject(rejection, done));
    return done;
  }

  /// Does the next slice of `sweep`. It counts as a record that waits for its commit.
  CompletableFuture<RejectedBatch.Slice> sweep(RejectedBatch sweep) {
    waitingRecords.incrementAndGet();
    CompletableFuture<RejectedBatch.Slice> done = new CompletableFuture<>();
    var _ = done.whenComplete((slice, failed) -> waitingRecords.decrementAndGet());
    offer(new Work.Sweeping(sweep, done));
    return done;
  }

  /// Gives some free pages back and empties the write-ahead log; the result is how many free pages
  /// are left.
  CompletableFuture<Integer> tidy() {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    offer(new Work.Tidy(done));
    return done;
  }

  /// Puts back something of a damaged buffer.
  CompletableFuture<Integer> restore(Step step) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    offer(new Work.Restore(step, done));
    return done;
  }

  /// Stores what an operator puts in. It counts as a record that waits for its commit.
  CompletableFuture<Integer> store(ImportBatch batch) {
    waitingRecords.incrementAndGet();
    CompletableFuture<Integer> done = new CompletableFuture<>();
    offer(new Work.Restore(writer -> writer.store(batch, clock.millis()), done));
    return done.whenComplete((stored, failed) -> {
      waitingRecords.decrementAndGet();
      if (stored != null && stored > 0) {
        Events.info(EventNames.RECORDS_IMPORTED, "records", stored);
        listener.stored();
      }
    });
  }

  /// What `damaged` writes was found damaged by a reader: begins anew, if that has not been done
  /// meanwhile.
  CompletableFuture<Integer> replaceBuffer(BufferWriter damaged, StorageException why) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    offer(new Work.ReplaceBuffer(damaged, why, done));
    return done;
  }

  /// Commits what waits, then ends the thread.
  void close() throws InterruptedException {
    closing = true;
    LockSupport.unpark(thread);
    thread.join();
    // Offered in the moment of the end: nobody will commit it.
    take(Integer.MAX_VALUE, Long.MAX_VALUE)
        .forEach(work -> fail(work, new AppendRequest.Outcome.Closed()));
  }

  private void offer(Work work) {
    queue.add(work);
    if (parked.get() && parked.compareAndSet(true, false)) {
      LockSupport.unpark(thread);
    } else if (!thread.isAlive() && closing) {
      take(Integer.MAX_VALUE, Long.MAX_VALUE)
          .forEach(left -> fail(left, new AppendRequest.Outcome.Closed()));
    }
  }

  private void run() {
    try {
      while (true) {
        List<Work> batch = take(MAX_RECORDS, MAX_BYTES);
        if (!batch.isEmpty()) {
          lookout.end();
          commit(batch);
          lookAtLog();
          lookout.begin(batch.size() == 1 && batch.getFirst().records().size() <= 1);
        } else if (closing) {
          return;
        } else if (!comesAtOnce()) {
          rebuildReserve();
          park();
        }
      }
    } catch (RuntimeException | Error broken) {
      die(new StorageException("the buffer's writer broke: " + broken, broken));
    }
  }

  /// Looks out for the next record, unless the house has to be put in order first.
  private boolean comesAtOnce() {
    while (isInOrder() && !closing && lookout.goesOn()) {
      if (!queue.isEmpty()) {
        return true;
      }
      Thread.onSpinWait();
    }
    return false;
  }

  private void park() {
    parked.set(true);
    if (queue.isEmpty() && !closing) {
      if (reserve.shortage() != 0) {
        LockSupport.parkNanos(this, FULL_CHECK_NANOS);
      } else if (!reserve.isWhole()) {
        LockSupport.parkNanos(this, HOUSEKEEPING_NANOS);
      } else {
        LockSupport.park(this);
      }
    }
    parked.set(false);
  }

  private List<Work> take(int maxRecords, long maxBytes) {
    List<Work> batch = new ArrayList<>();
    long records = 0;
    long bytes = 0;
    for (Work next = queue.peek(); next != null; next = queue.peek()) {
      records += next.records().size();
      bytes += next.bytes();
      if (!batch.isEmpty() && (records > maxRecords || bytes > maxBytes)) {
        break;
      }
      Work taken = queue.poll();
      if (taken != null) {
        // Else somebody else takes as well, when the buffer is closed.
        batch.add(taken);
      }
    }
    return batch;
  }

  private void commit(List<Work> batch) {
    List<Work.Add> appends = new ArrayList<>(batch.size());
    List<Work> others = new ArrayList<>();
    long oldest = Long.MIN_VALUE;
    for (Work work : batch) {
      if (work instanceof Work.Add add) {
        oldest = oldest == Long.MIN_VALUE ? add.offeredNanos() : oldest;
        appends.add(add);
      } else {
        others.add(work);
      }
    }
    oldestNanos = oldest;
    try {
      others.removeIf(this::replacesBuffer);
      BufferWriter first = writer;
      while (!commitInOrder(appends, others, oldest, first)) {
        // SQLite has waited its second for the lock, or a new buffer has been begun.
        Thread.onSpinWait();
      }
    } finally {
      oldestNanos = Long.MIN_VALUE;
    }
  }

  /// @param first who wrote when this was first tried
  /// @return false when the same should be tried again: another process holds a lock, or the buffer
  ///   was damaged and has been begun anew
  private boolean commitInOrder(
      List<Work.Add> appends, List<Work> others, long oldest, BufferWriter first) {
    if (failure != null) {
      StorageException known = failure;
      failAll(appends, others, known);
      return true;
    }
    try {
      if (reserve.shortage() != 0) {
        complete(appends, noRoom());
        // Settled once, also when what follows is tried again.
        appends.clear();
        refuse(others, GroupCommit::needsRoom, new StorageException.Full());
        transact(List.of(), others);
      } else {
        transact(appends, others);
        complete(appends, new AppendRequest.Outcome.Stored());
        if (!appends.isEmpty()) {
          listener.stored();
        }
      }
    } catch (StorageException.Full full) {
      complete(appends, noRoomAfterRelease());
      // The reserve is for what makes room.
      refuse(others, GroupCommit::needsRoom, full);
      retryWithoutAppends(others);
    } catch (StorageException.Busy busy) {
      if (waitsOn(oldest)) {
        return false;
      }
      failAll(appends, others, busy);
    } catch (StorageException.Corrupted damaged) {
      if (writer == first && replaceBuffer(damaged)) {
        // An acknowledgement counts in the new buffer too: what it settles is not salvaged. What
        // is about other rows has to wait for the salvage.
        refuse(others, work -> !(work instanceof Work.Acknowledge), damaged);
        return false;
      }
      die(damaged);
      failAll(appends, others, damaged);
    } catch (StorageException failed) {
      die(failed);
      failAll(appends, others, failed);
    }
    return true;
  }

  private boolean replacesBuffer(Work work) {
    if (!(work
        instanceof Work.ReplaceBuffer(BufferWriter damaged, StorageException why, var done))) {
      return false;
    }
    if (damaged == writer && failure == null && !replaceBuffer(why)) {
      die(why);
    }
    done.complete(0);
    return true;
  }

  /// @return whether there is a new buffer now
  private boolean replaceBuffer(StorageException why) {
    long now = clock.nanos();
    while (!replacedAt.isEmpty() && now - replacedAt.getFirst() > REPLACEMENT_WINDOW_NANOS) {
      replacedAt.removeFirst();
    }
    if (replacedAt.size() == MAX_REPLACEMENTS) {
      Events.severe(
          EventNames.BUFFER_DAMAGED_AGAIN,
          "reason",
          why.getMessage(),
          "action",
          "see to the disk, then start again: what is sound is salvaged then");
      return false;
    }
    replacedAt.addLast(now);
    try {
      writer = replacement.create(writer, why);
      totals = writer.totals();
      listener.bufferReplaced();
      return true;
    } catch (StorageException failed) {
      Events.severe(EventNames.BUFFER_REPLACE_FAILED, failed);
      return false;
    }
  }

  /// What the reserve gives up is for deletes and checkpoints alone.
  private static boolean needsRoom(Work work) {
    return work instanceof Work.Restore
        || (work instanceof Work.Sweeping(RejectedBatch sweep, var _)
            && sweep.action() == RejectedBatch.Action.REDRIVE);
  }

  private void refuse(List<Work> works, Predicate<Work> which, StorageException why) {
    works.removeIf(work -> {
      boolean refused = which.test(work);
      if (refused) {
        failAll(List.of(), List.of(work), why);
      }
      return refused;
    });
  }

  /// Nothing was written: the clients can wait while somebody else writes, but not for ever.
  private boolean waitsOn(long oldest) {
    boolean waits =
        oldest != Long.MIN_VALUE && !closing && clock.nanos() - oldest < lockPatience.toNanos();
    if (!lockReported || !waits) {
      lockReported = waits;
      Events.warning(
          EventNames.BUFFER_LOCKED,
          "action",
          "another process holds a write lock on buffer.db: close it, and open it with sqlite3"
              + " -readonly",
          "calls",
          waits ? "wait" : "fail");
    }
    return waits;
  }

  private void retryWithoutAppends(List<Work> others) {
    try {
      writer.checkpoint();
      transact(List.of(), others);
    } catch (SQLException | StorageException stillFull) {
      StorageException failed =
          stillFull instanceof SQLException sql
              ? Database.failure("checkpointing a full disk", sql)
              : (StorageException) stillFull;
      dieUnlessPasses(failed);
      failAll(List.of(), others, failed);
    }
  }

  private void transact(List<Work.Add> appends, List<Work> others) throws StorageException {
    if (appends.isEmpty() && others.isEmpty()) {
      return;
    }
    long begun = clock.nanos();
    List<NewRecord> records = new ArrayList<>();
    for (Work.Add add : appends) {
      records.addAll(add.records());
    }
    List<Runnable> completions = new ArrayList<>(others.size());
    writer.transact(() -> {
      // Replacement, whatever came of an earlier try.
      completions.clear();
      if (!records.isEmpty()) {
        writer.append(records);
      }
      for (Work work : others) {
        completions.add(apply(work));
      }
      return completions;
    });
    totals = writer.totals();
    long ended = clock.nanos();
    measures.committed(records.size(), ended - begun);
    for (Work.Add add : appends) {
      for (NewRecord one : add.records()) {
        measures.appended(one, ended - add.offeredNanos());
      }
    }
    completions.forEach(Runnable::run);
  }

  /// @return what is to be done once it is committed
  private Runnable apply(Work work) throws SQLException {
    switch (work) {
      case Work.Add add -> throw new IllegalStateException("not an append: " + add);
      case Work.Acknowledge(long through, var done) -> {
        int deleted = writer.acknowledge(through);
        return () -> done.complete(deleted);
      }
      case Work.Reject(Rejection rejection, var done) -> {
        writer.reject(rejection);
        return () -> {
          rejections.incrementAndGet();
          done.complete(1);
        };
      }
      case Work.Sweeping(RejectedBatch sweep, var done) -> {
        RejectedBatch.Slice slice = writer.sweep(sweep);
        return () -> finishSlice(sweep, slice, done);
      }
      case Work.Restore(Step step, var done) -> {
        int restored = step.apply(writer);
        return () -> done.complete(restored);
      }
      case Work.ReplaceBuffer replace ->
          throw new IllegalStateException("not in a transaction: " + replace);
      case Work.Tidy(var done) -> {
        int left = writer.shrinkStep();
        return () -> finishTidying(done, left);
      }
    }
  }

  private void finishSlice(
      RejectedBatch sweep, RejectedBatch.Slice slice, CompletableFuture<RejectedBatch.Slice> done) {
    boolean redriven = sweep.action() == RejectedBatch.Action.REDRIVE;
    if (slice.count() > 0) {
      Events.info(
          redriven ? EventNames.REJECTED_REDRIVEN : EventNames.REJECTED_DISCARDED,
          "records",
          slice.count(),
          "through_id",
          slice.throughId());
    }
    if (redriven) {
      listener.stored();
    }
    done.complete(slice);
  }

  private void finishTidying(CompletableFuture<Integer> done, int freePages) {
    try {
      int left = writer.rewriteIfMostlyFree() ? 0 : freePages;
      writer.checkpoint();
      done.complete(left);
    } catch (SQLException failed) {
      StorageException kind = Database.failure("tidying", failed);
      if (kind.isCorruption()) {
        dieUnlessPasses(kind);
      }
      done.completeExceptionally(kind);
    }
  }

  private AppendRequest.Outcome noRoom() {
    return new AppendRequest.Outcome.NoRoom(
        "the disk is full: "
            + (reserve.shortage() + (1 << 20) - 1) / (1 << 20)
            + " MiB more must be free on the file system of the buffer before records are taken"
            + " again");
  }

  private AppendRequest.Outcome noRoomAfterRelease() {
    try {
      reserve.release();
    } catch (IOException failed) {
      Events.severe(EventNames.RESERVE_FAILED, failed);
    }
    return noRoom();
  }

  private void lookAtLog() {
    try {
      if (failure == null) {
        writer.checkpointIfOverdue();
      }
    } catch (SQLException failed) {
      dieUnlessPasses(Database.failure("writing the log back", failed));
    }
  }

  private boolean isInOrder() {
    return reserve.isWhole() && reserve.shortage() == 0;
  }

  private void rebuildReserve() {
    if (isInOrder()) {
      return;
    }
    try {
      if (reserve.shortage() != 0) {
        int _ = writer.shrinkStep();
        writer.checkpoint();
      }
      reserve.rebuildStep();
    } catch (IOException failed) {
      if (Volume.isBroken(failed)) {
        die(new StorageException("the reserve cannot be written: " + failed.getMessage(), failed));
      } else if (!Volume.isLackOfDescriptors(failed)) {
        // Most likely no room for the step: look again as after any full disk.
        AppendRequest.Outcome _ = noRoomAfterRelease();
      }
    } catch (SQLException failed) {
      dieUnlessPasses(Database.failure("making room", failed));
    }
  }

  private void dieUnlessPasses(StorageException failed) {
    if (!failed.isTransient() && !(failed.isCorruption() && replaceBuffer(failed))) {
      die(failed);
    }
  }

  private void die(StorageException failed) {
    failure = failed;
    listener.failed();
  }

  private void failAll(List<Work.Add> appends, List<Work> others, StorageException failed) {
    complete(appends, new AppendRequest.Outcome.Failed(String.valueOf(failed.getMessage())));
    for (Work work : others) {
      switch (work) {
        case Work.Add add -> throw new IllegalStateException("not an append: " + add);
        case Work.Acknowledge(long through, var done) -> done.completeExceptionally(failed);
        case Work.Reject(Rejection rejection, var done) -> done.completeExceptionally(failed);
        case Work.Sweeping(RejectedBatch sweep, var done) -> done.completeExceptionally(failed);
        case Work.Tidy(var done) -> done.completeExceptionally(failed);
        case Work.Restore(Step step, var done) -> done.completeExceptionally(failed);
        case Work.ReplaceBuffer(BufferWriter damaged, StorageException why, var done) ->
            done.completeExceptionally(failed);
      }
    }
  }

  private void fail(Work work, AppendRequest.Outcome outcome) {
    if (work instanceof Work.Add add) {
      complete(List.of(add), outcome);
    } else {
      failAll(List.of(), List.of(work), new StorageException("the buffer is closed"));
    }
  }

  private void complete(List<Work.Add> appends, AppendRequest.Outcome outcome) {
    for (Work.Add add : appends) {
      waitingRecords.addAndGet(-add.records().size());
      waitingBytes.addAndGet(-add.bytes());
      add.append().completed(outcome);
    }
  }
}
