package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectedRange;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.Settlement;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.salvage.SalvageReport;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// The embedded buffer: holds records in the order in which they were accepted, until the server
/// acknowledges or rejects them.
///
/// Guaranteed: a record whose [AppendRequest] completed as stored is on stable storage (SQLite in
/// WAL mode with `synchronous=FULL`: the commit returned after fsync). [#read] returns it in its
/// place, also after a crash or a power loss, until it is acknowledged or rejected. At every commit
/// `accepted = delivered + pending + rejected + discarded`.
///
/// Not guaranteed: a record whose append failed may be stored nevertheless, and a disk that reports
/// an fsync before it is done can lose records.
///
/// One process at a time may open a buffer, and the caller ensures that. All methods are
/// thread-safe, with one exception: [#salvage], [#read], [#readAhead], [#startsAfter] and [#close]
/// are called by one thread at a time.
public final class Buffer implements AutoCloseable {
  /// Less than the 30 s after which a call that waits for its commit means that the disk hangs.
  private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(20);

  /// The records of an acknowledgement that needs little disk space.
  private static final int SMALL_ACKNOWLEDGEMENT = 16;

  private static final long RECLAIM_NANOS = 1_000_000_000;

  /// Enough for about 100,000 rows. The next agent waits for the directory meanwhile.
  private static final Duration COUNT_AT_CLOSE = Duration.ofMillis(250);

  private final Path directory;
  private final Clock clock;
  private final Volume volume;
  private final DiskReserve reserve;
  private final BufferOpener opener;
  private final CommitPipeline commits;
  private final SalvageRun salvageRun;
  private final ReplayReader reader;
  private CompletableFuture<Integer> namesRestored = CompletableFuture.completedFuture(0);
  private volatile boolean damaged;
  private volatile @Nullable BufferStateMetrics atClose;

  private Buffer(
      Path directory,
      Volume volume,
      BufferOpener opener,
      BufferOpener.Connections opened,
      Clock clock,
      BufferListener listener)
      throws IOException {
    this.directory = directory;
    this.clock = clock;
    this.volume = volume;
    this.opener = opener;
    this.damaged = opened.wasDamaged();
    this.reserve = new DiskReserve(DirectoryLayout.reserve(directory), volume);
    this.commits =
        new CommitPipeline(
            opened.writer(), reserve, listener, clock, LOCK_TIMEOUT, new Replacing());
    this.salvageRun = new SalvageRun(commits, reserve);
    this.reader =
        new ReplayReader(
            DirectoryLayout.buffer(directory), commits, opened.query(), opened.writer());
    commits.start();
  }

  /// Whether there is a buffer in `directory`.
  public static boolean existsIn(Path directory) {
    return Files.isRegularFile(DirectoryLayout.buffer(directory), LinkOption.NOFOLLOW_LINKS);
  }

  /// Whether `file` is the buffer in `directory`.
  public static boolean isIn(Path directory, Path file) throws IOException {
    return existsIn(directory) && Files.isSameFile(DirectoryLayout.buffer(directory), file);
  }

  /// Gives up a piece of the reserve that an earlier run left in `directory`, for an agent that
  /// cannot start on a full disk. Can be repeated.
  ///
  /// @return whether there was one
  public static boolean releaseReserve(Path directory) throws IOException {
    return DiskReserve.giveUp(directory);
  }

  /// Opens the buffer in `directory`, creating it if there is none. A file that is not a sound
  /// buffer is quarantined as `buffer.db.damaged-<time>`, and a new one is created: see [#salvage].
  ///
  /// @param listener notified of commits, in the writer thread
  /// @throws StorageException when there is no usable storage; the message names the fix
  public static Buffer open(Path directory, Clock clock, BufferListener listener)
      throws StorageException {
    try {
      Volume volume = new Volume(directory);
      BufferOpener opener = new BufferOpener(directory, volume, clock);
      return new Buffer(directory, volume, opener, opener.open(), clock, listener);
    } catch (StorageException.Full full) {
      throw new StorageException(
          "no room for the buffer in " + directory + ": free some, then start again", full);
    } catch (IOException failed) {
      throw new StorageException(
          "cannot use " + DirectoryLayout.buffer(directory) + ": " + failed, failed);
    }
  }

  private final class Replacing implements ActiveWriter.Replacement {
    @Override
    public BufferWriter create(BufferWriter broken, StorageException why) throws StorageException {
      opener.quarantine(broken, why);
      damaged = true;
      return opener.reopenWriter();
    }

    @Override
    public BufferWriter restore(BufferWriter open, Runnable progress) throws StorageException {
      if (open.ledgerBroken()) {
        damaged = true;
      }
      return opener.restore(open, progress);
    }
  }

  /// Another agent has taken the directory: from now on no file is put back under a name of the
  /// buffer, and [#close] copies a buffer without a name to `buffer.db.replaced-<time>`.
  public void giveUpNames() {
    opener.giveUpNames();
  }

  /// Looks whether the names of the open files still lead to them; if not, the writer thread puts
  /// them back. Does not block. One thread at a time.
  public void checkNames() {
    if (namesRestored.isDone() && commits.hasLostNames()) {
      namesRestored = commits.restoreNames();
    }
  }

  /// Queues records behind all that were queued before; [AppendRequest#completed] has the outcome.
  /// Does not block. A commit covers at most 4,096 records and 4 MiB, or one append that is larger
  /// by itself.
  public void append(AppendRequest request) {
    commits.append(request, clock.nanos());
  }

  /// Whether the sound records of a damaged buffer are not fully restored.
  public boolean isSalvaging() {
    return salvageRun.isNeeded();
  }

  /// Restores the sound records of damaged buffers; returns when all of them are restored, at once
  /// when there is nothing to do. To be called before [#read]. Records that are appended meanwhile
  /// come later in the order.
  ///
  /// @throws StorageException when it could not be finished; it can be called again
  public void salvage() throws StorageException, InterruptedException {
    if (isSalvaging()) {
      damaged = true;
    }
    salvageRun.run();
  }

  /// Restores the sound records of the damaged buffer `file` under their old idempotency keys. They
  /// keep their ids and their place if they can; otherwise they come behind what is pending.
  ///
  /// @throws StorageException when it could not be finished; it can be called again
  public SalvageReport salvage(Path file) throws StorageException, InterruptedException {
    return salvageRun.run(file);
  }

  /// Reads the first pending records in replay order: at most `maxRecords`, and none after
  /// `maxBytes` are reached. Returns at least one while any is pending, unless another program has
  /// deleted rows: then the missing ids are settled, and the list may be empty.
  ///
  /// @throws StorageException when the file cannot be read
  public List<PendingRecord> read(int maxRecords, long maxBytes)
      throws StorageException, InterruptedException {
    return reader.read(maxRecords, maxBytes);
  }

  /// Reads the records that follow on those that [#read] or this method returned last, up to
  /// `afterId`, while these are still pending: at most `maxRecords`, and none after `maxBytes` are
  /// reached. Returns none where ids have gaps, or when the file was replaced: [#read] cares for
  /// that. They are the first pending ones once [#startsAfter] says so.
  ///
  /// @throws StorageException when the file cannot be read; [#read] finds that too, and handles it
  public List<PendingRecord> readAhead(long afterId, int maxRecords, long maxBytes)
      throws StorageException {
    return reader.readAhead(afterId, maxRecords, maxBytes);
  }

  /// Whether the first pending records are those after `id`, in the file that was read last.
  public boolean startsAfter(long id) {
    return reader.isCurrent() && totals().settledThrough() == id;
  }

  /// Deletes every pending record up to and including `throughId`, all of which the server has
  /// acknowledged; returns when that is on stable storage.
  ///
  /// On a full disk it deletes them in several transactions, each of which needs less space.
  ///
  /// @throws StorageException when it could not be committed; the records that are still pending
  ///   are then delivered again
  public void acknowledge(long throughId) throws StorageException, InterruptedException {
    try {
      int _ = CommitPipeline.await(commits.acknowledge(throughId));
    } catch (StorageException.Full full) {
      while (totals().settledThrough() < throughId) {
        int _ = CommitPipeline.await(commits.acknowledge(throughId, SMALL_ACKNOWLEDGEMENT));
      }
    }
  }

  /// Moves the first pending record to the table `rejected`; returns when that is on stable
  /// storage.
  ///
  /// @throws StorageException when it could not be committed; the record is then still pending
  public void reject(Rejection rejection) throws StorageException, InterruptedException {
    int _ = CommitPipeline.await(commits.reject(rejection));
  }

  /// Deletes or rejects every pending record of a batch, as the server decided, in one transaction;
  /// returns when that is on stable storage.
  ///
  /// On a full disk it uses several transactions, each of which needs less space.
  ///
  /// @throws StorageException when it could not be committed; what is still pending is as it was,
  ///   and this can be called again
  public void settle(Settlement settlement) throws StorageException, InterruptedException {
    if (settlement.rejections().isEmpty()) {
      acknowledge(settlement.throughId());
      return;
    }
    try {
      int _ = CommitPipeline.await(commits.settle(settlement));
    } catch (StorageException.Full full) {
      for (Rejection rejection : settlement.rejections()) {
        long id = rejection.record().id();
        if (totals().settledThrough() < id) {
          acknowledgeUnlessSettled(id - 1);
          reject(rejection);
        }
      }
      acknowledgeUnlessSettled(settlement.throughId());
    }
  }

  private void acknowledgeUnlessSettled(long throughId)
      throws StorageException, InterruptedException {
    if (totals().settledThrough() < throughId) {
      acknowledge(throughId);
    }
  }

  /// Redrives or discards the next batch of `range`, in one transaction. Does not block.
  ///
  /// @return completes in the writer thread when the batch is on stable storage, or with the
  ///   [StorageException] for which nothing of it was done
  public CompletableFuture<RejectedRange.Batch> apply(RejectedRange range) {
    return commits.apply(range);
  }

  /// Stores an operator's batch in one transaction, behind all that was queued before. Does not
  /// block.
  ///
  /// @return completes in the writer thread with the number of records that are now on stable
  ///   storage, 0 when the batch was stored before; or with the [StorageException] for which none
  ///   was stored
  public CompletableFuture<Integer> importBatch(ImportBatch batch) {
    for (ImportBatch.Line line : batch.records()) {
      String problem = line.problem();
      if (problem != null) {
        return CompletableFuture.failedFuture(
            new StorageException("a record cannot be imported: " + problem));
      }
    }
    return commits.importBatch(batch);
  }

  /// Gives free pages back to the file system and empties the write-ahead log, for a second at most
  /// and only while no record waits for its commit.
  ///
  /// @throws StorageException when that failed; no record is lost
  public void reclaimSpace() throws StorageException, InterruptedException {
    long deadline = clock.nanos() + RECLAIM_NANOS;
    int left;
    do {
      left = CommitPipeline.await(commits.reclaimSpace());
    } while (left > 0 && waitingRecords() == 0 && clock.nanos() - deadline < 0);
  }

  /// The ledger as of the last commit.
  public Totals totals() {
    return commits.totals();
  }

  /// Whether every id ever assigned is delivered or rejected, as of the last commit.
  public boolean isDrained() {
    Totals now = totals();
    return now.lastId() == now.settledThrough();
  }

  /// The number of records that wait for their commit.
  public int waitingRecords() {
    return commits.waitingRecords();
  }

  /// The size of the records that wait for their commit, in bytes.
  public long waitingBytes() {
    return commits.waitingBytes();
  }

  /// The time that the oldest record without a commit has waited for it, in nanoseconds; 0 when no
  /// record waits.
  public long oldestWaitNanos() {
    Long since = commits.oldestWaitingNanos();
    return since == null ? 0 : clock.nanos() - since;
  }

  /// Bytes that must become free before records are accepted again; 0 while they are.
  public long shortage() {
    return reserve.shortage();
  }

  /// The reason why the storage is unusable, or null while it is usable.
  public @Nullable StorageException failure() {
    return commits.failure();
  }

  /// Why commits do not succeed now, although the storage is usable and there is disk space:
  /// another process holds a lock, or the disk hangs. One line for people; null if they succeed.
  public @Nullable String problem() {
    return commits.problem();
  }

  /// The number of records of clients that this run has stored.
  public long accepted() {
    return commits.accepted();
  }

  /// The number of records that this run has moved to the table `rejected`.
  public long rejections() {
    return commits.rejections();
  }

  /// Whether the files were damaged: a buffer was quarantined or salvaged, or the ledger did not
  /// match the rows.
  public boolean wasDamaged() {
    return damaged || commits.writer().ledgerBroken();
  }

  /// Writes the buffer's metrics. Reads from the disk; also after [#close].
  public void writeTo(Exposition out) {
    commits.writeTo(out);
    BufferStateMetrics state = atClose;
    (state == null ? stateMetrics() : state)
        .writeTo(out, DirectoryLayout.buffer(directory), volume, clock.millis());
    out.gauge(BufferStateMetrics.SHORTAGE, BufferStateMetrics.SHORTAGE_HELP, shortage());
  }

  private BufferStateMetrics stateMetrics() {
    Totals now = totals();
    if (now.lastId() != now.settledThrough()) {
      try (BufferView view = BufferView.open(directory)) {
        return new BufferStateMetrics(now, view.nextReceivedAt());
      } catch (StorageException failed) {
        // Replay or the writer reports it, with the fix.
        Events.warning(EventNames.OLDEST_RECORD_UNKNOWN, "reason", failed.getMessage());
      }
    }
    return new BufferStateMetrics(now, null);
  }

  private void restoreNamesForLastTime() {
    if (failure() != null) {
      return;
    }
    StorageException lost = commits.restoreNamesNow();
    StorageException why = lost == null ? failure() : lost;
    if (why != null) {
      damaged = true;
      Events.severe(
          EventNames.BUFFER_LOST,
          "reason",
          why.getMessage(),
          "pending",
          totals().pending(),
          "rejected",
          totals().rejected(),
          "action",
          lost == null
              ? "see the reason"
              : "these records were in files that another process deleted, and are gone");
    }
  }

  /// Commits what waits, compares the ledger with a count of the rows, for a quarter of a second at
  /// most, and closes the files, with an empty write-ahead log if no reader prevents that.
  @Override
  public void close() throws StorageException, InterruptedException {
    commits.close();
    restoreNamesForLastTime();
    // Before the file is closed: reading the state later would open it again.
    atClose = stateMetrics();
    try {
      BufferWriter writer = commits.writer();
      if (failure() == null && !writer.isClosed()) {
        writer.countLedger(new BoundedRowCount(clock, COUNT_AT_CLOSE));
      }
      reader.close();
      if (failure() == null && !writer.isClosed()) {
        writer.space().truncateLogAtClose(shortage() != 0);
        // After a failure the log's name can lead to that of another agent.
        reserve.adoptLog();
      }
      writer.close();
      reserve.forgetOpenLog();
      writer.space().reportLogLeft();
    } catch (SQLException failed) {
      throw SqliteFailure.of("closing buffer.db", failed);
    } catch (IOException failed) {
      throw new StorageException("closing the buffer's files failed: " + failed, failed);
    }
  }
}
