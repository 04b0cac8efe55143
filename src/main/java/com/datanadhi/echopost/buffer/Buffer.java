package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.PrivateFiles;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.record.ImportBatch;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.RejectedBatch;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.salvage.DamagedBuffer;
import com.datanadhi.echopost.salvage.Salvage;
import com.datanadhi.echopost.salvage.SalvageReport;
import com.datanadhi.echopost.salvage.Watermark;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/// The embedded buffer: records in the order they were accepted, until the server has acknowledged
/// them.
///
/// What it promises: a record whose [AppendRequest] was settled as stored is on stable storage
/// (SQLite in WAL mode with `synchronous=FULL`: the commit returned after fsync) and comes out of
/// [#read] in its place, also after a crash or a power loss, until it is acknowledged or rejected.
/// At every commit `accepted = delivered + pending + rejected + discarded`.
///
/// What it does not promise: a record whose append failed may be stored all the same; and a disk
/// that lies about fsync can lose what it said it had.
///
/// One process opens a buffer at a time; whoever opens it sees to that. Appends, acknowledgements
/// and rejections may come from any thread; reads from one thread at a time.
public final class Buffer implements AutoCloseable {
  private static final long WRITER_PATIENCE_MILLIS = 1_000;

  /// Less than the 30 s after which a call that waits for its commit means that the disk hangs.
  private static final Duration LOCK_PATIENCE = Duration.ofSeconds(20);

  private static final long RECLAIM_NANOS = 1_000_000_000;

  /// Enough for some 100,000 rows. A successor waits for the directory meanwhile.
  private static final Duration COUNT_AT_CLOSE = Duration.ofMillis(250);

  private final Clock clock;
  private final Path file;
  private final Volume volume;
  private final DiskReserve reserve;
  private final CommitPipeline commits;
  private PendingReader reader;
  private BufferWriter readerOf;
  private boolean rowsChecked;
  private volatile boolean damaged;
  private volatile @Nullable BufferStateMetrics atClose;

  private Buffer(
      Path file,
      BufferWriter writer,
      PendingReader reader,
      Volume volume,
      Clock clock,
      BufferListener listener,
      boolean damaged)
      throws IOException {
    this.clock = clock;
    this.file = file;
    this.reader = reader;
    this.readerOf = writer;
    this.damaged = damaged;
    this.volume = volume;
    this.reserve = new DiskReserve(file.resolveSibling(DirectoryLayout.RESERVE), volume);
    this.commits =
        new CommitPipeline(
            writer,
            reserve,
            listener,
            clock,
            LOCK_PATIENCE,
            (broken, why) -> replaceBuffer(broken, volume, why));
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

  /// Opens the buffer in `directory`, creating it when there is none. A file that is not a sound
  /// buffer is set aside as `buffer.db.damaged-<time>`, and a new one is begun: see [#salvage].
  ///
  /// @param listener told of commits
  /// @throws StorageException when there is no usable storage, with what to do about it
  public static Buffer open(Path directory, Clock clock, BufferListener listener)
      throws StorageException {
    Path file = DirectoryLayout.buffer(directory);
    try {
      Volume volume = new Volume(directory);
      boolean isNew = !Files.exists(file);
      if (isNew && volume.usable() < 2 * volume.walBound()) {
        throw new StorageException(
            "no room for a buffer: "
                + directory
                + " needs "
                + ((2 * volume.walBound()) >> 20)
                + " MiB free; free some, or choose another directory with -datanadhi");
      }
      if (isNew) {
        PrivateFiles.syncDirectoriesAbove(directory);
        Quarantine.finishInterrupted(file, volume.walBound());
      }
      PrivateFiles.createIfMissing(file);
      writeLogAgain(file);
      boolean damaged = false;
      while (true) {
        try {
          BufferWriter writer = openWriter(file, volume, clock);
          PendingReader reader = PendingReader.open(file, writer.bufferId());
          return new Buffer(file, writer, reader, volume, clock, listener, damaged);
        } catch (StorageException.Full full) {
          // What an earlier run kept in reserve is for this too: to deliver is what makes room.
          if (!releaseReserve(directory)) {
            throw full;
          }
        } catch (StorageException.Corrupted broken) {
          if (damaged) {
            throw broken;
          }
          damaged = true;
        }
      }
    } catch (StorageException.Full full) {
      throw new StorageException(
          "no room for the buffer in " + directory + ": free some, then start again", full);
    } catch (IOException failed) {
      throw new StorageException("cannot use " + file + ": " + failed, failed);
    }
  }

  /// Opens what there is.
  ///
  /// @throws StorageException.Corrupted when it was no sound buffer; now there is a new one
  private static BufferWriter openWriter(Path file, Volume volume, Clock clock)
      throws StorageException, IOException {
    Watermark.Mark mark = Watermark.read(file);
    Connection connection = null;
    try {
      if (mark != null && Files.size(file) == 0) {
        // SQLite would take it for new, and delete its log.
        throw new StorageException.Corrupted("buffer.db is empty, and was not");
      }
      connection = Database.connect(file);
      if (mark != null && !Database.hasTables(connection)) {
        // A log with a damaged header counts for nothing, and tables made anew would overwrite it.
        throw new StorageException.Corrupted("buffer.db has no tables, and had");
      }
      Database.prepareWriter(connection, volume.walBound(), WRITER_PATIENCE_MILLIS);
      BufferWriter writer = new BufferWriter(connection, file);
      if (mark != null && !writer.accountsFor(mark)) {
        throw new StorageException.Corrupted(
            "buffer.db and its log are not those that were last written here");
      }
      writer.checkLedger();
      return writer;
    } catch (SQLException | StorageException failed) {
      StorageException kind =
          failed instanceof SQLException sql
              ? Database.openingFailure(sql)
              : (StorageException) failed;
      if (kind.isCorruption()) {
        // Before it is closed, which would write its log back into it.
        Quarantine.replaceBuffer(file, volume.walBound(), clock, kind, null);
      }
      if (connection != null) {
        Database.closeAfter(kind, connection);
      }
      throw kind;
    }
  }

  /// Where an earlier run ended in a failed fsync, its log can be less on the disk than it seems: a
  /// power loss would then take what is written behind it too.
  static void writeLogAgain(Path file) throws IOException {
    Path log = DirectoryLayout.wal(file);
    if (!Files.exists(log)) {
      return;
    }
    try {
      PrivateFiles.writeAgain(log);
    } catch (IOException failed) {
      // Some file systems need room even to write what is there already.
      if (!Files.deleteIfExists(file.resolveSibling(DirectoryLayout.RESERVE))) {
        throw failed;
      }
      PrivateFiles.writeAgain(log);
    }
  }

  private BufferWriter replaceBuffer(BufferWriter broken, Volume volume, StorageException why)
      throws StorageException {
    try {
      Quarantine.replaceBuffer(file, volume.walBound(), clock, why, broken.totals());
      damaged = true;
      Database.closeAfter(why, broken);
      return openWriter(file, volume, clock);
    } catch (IOException failed) {
      throw new StorageException("cannot begin a new buffer: " + failed, failed);
    }
  }

  /// Gives up the room that an earlier run kept in reserve in `directory`, for one that cannot even
  /// begin on a full disk.
  ///
  /// @return whether there was any
  public static boolean releaseReserve(Path directory) throws IOException {
    return Files.deleteIfExists(DirectoryLayout.reserve(directory));
  }

  /// Queues records behind all that were queued before; [AppendRequest#completed] says how it
  /// ended. Does not block. A commit covers what waits up to 4,096 records or 4 MiB, or one append
  /// that is larger by itself.
  public void append(AppendRequest append) {
    commits.append(append, clock.nanos());
  }

  /// Whether what a damaged buffer held is yet to be put back.
  public boolean isSalvaging() {
    return !commits.writer().salvages().isEmpty();
  }

  /// Puts back what damaged buffers held: returns when all of it is, at once when there is nothing
  /// to be done. To be called before [#read], in the same thread; records may be appended
  /// meanwhile, and come later in the order.
  ///
  /// @throws StorageException when it could not be finished; it can be called again
  public void salvage() throws StorageException, InterruptedException {
    BufferWriter into = commits.writer();
    for (Salvage.Source source : into.salvages()) {
      damaged = true;
      if (Files.exists(source.file())) {
        SalvageReport _ = salvage(source, into);
      } else {
        Events.severe(
            EventNames.SALVAGE_IMPOSSIBLE,
            "file",
            source.file(),
            "reason",
            "somebody moved it away",
            "action",
            "if it is still there, let the agent end, then: echopost salvage FILE");
        end(source, into);
      }
    }
  }

  /// Puts back what the damaged buffer `file` held, behind what is pending where it cannot keep its
  /// ids, and under the keys that it had.
  ///
  /// @throws StorageException when it could not be finished; it can be called again
  public SalvageReport salvage(Path file) throws StorageException, InterruptedException {
    BufferWriter into = commits.writer();
    Path absolute = file.toAbsolutePath().normalize();
    for (Salvage.Source begun : into.salvages()) {
      if (begun.file().equals(absolute)) {
        return salvage(begun, into);
      }
    }
    Salvage.Source source = new Salvage.Source(absolute, idBaseFor(absolute, into));
    int _ = await(commits.restore(writer -> writer.beginSalvage(source)));
    boolean _ = into.salvages().add(source);
    return salvage(source, into);
  }

  /// Its records keep their ids where nothing has come after them yet, be it that this buffer is
  /// new, or that it was begun when they were set aside and has delivered none of them.
  private static long idBaseFor(Path file, BufferWriter into) throws StorageException {
    Totals totals = into.totals();
    try (DamagedBuffer damaged = new DamagedBuffer(file)) {
      Watermark.Mark mark = damaged.mark();
      boolean fits =
          mark != null
              && mark.bufferId().equals(into.bufferId())
              && mark.lastId() <= totals.salvagedThrough()
              && totals.settledThrough() <= mark.settledThrough();
      return totals.lastId() == 0 || fits ? 0 : Totals.epochAfter(totals.lastId());
    } catch (IOException unreadable) {
      throw new StorageException("cannot read " + file + ": " + unreadable, unreadable);
    }
  }

  private SalvageReport salvage(Salvage.Source source, BufferWriter into)
      throws StorageException, InterruptedException {
    makeSureOfRoom();
    Salvage.Sink sink =
        (rows, bufferId) -> {
          if (commits.writer() != into) {
            throw new StorageException.Corrupted("the buffer was damaged during a salvage");
          }
          makeSureOfRoom();
          return await(commits.restore(writer -> writer.restore(rows, source, bufferId)));
        };
    long settledSince = source.idBase() == 0 ? into.totals().settledThrough() : 0;
    SalvageReport report = new Salvage(source, sink, settledSince).run();
    end(source, into);
    report.logResult();
    try {
      report.write();
    } catch (IOException failed) {
      Events.warning(EventNames.SALVAGE_REPORT_NOT_WRITTEN, "reason", failed.toString());
    }
    return report;
  }

  private void makeSureOfRoom() throws StorageException {
    if (reserve.shortage() != 0) {
      throw new StorageException.Full();
    }
  }

  /// Not in a buffer that was begun meanwhile: there all of it has to be done again.
  private void end(Salvage.Source source, BufferWriter into)
      throws StorageException, InterruptedException {
    int _ = await(commits.restore(writer -> writer == into ? writer.endSalvage(source) : 0));
    boolean _ = into.salvages().remove(source);
  }

  /// The first pending records in replay order: at most `maxRecords`, and no more once `maxBytes`
  /// are reached, but one at least, unless the table has fewer rows than the ledger says: then that
  /// is settled, and there may be none.
  ///
  /// @throws StorageException when the file cannot be read
  public List<PendingRecord> read(int maxRecords, long maxBytes)
      throws StorageException, InterruptedException {
    BufferWriter writer = commits.writer();
    Totals before = totals();
    try {
      readFrom(writer);
      List<PendingRecord> rows =
          reader.read(before.settledThrough(), before.lastId(), maxRecords, maxBytes);
      if (!rowsChecked && !before.accountsFor(rows)) {
        reader.check();
        rowsChecked = true;
      }
      if (rows.isEmpty() && before.lastId() > before.settledThrough()) {
        // Somebody emptied the table. What was appended since is none of this.
        int _ =
            await(commits.restore(same -> same == writer ? same.acknowledge(before.lastId()) : 0));
      }
      return rows;
    } catch (SQLException | StorageException.Corrupted failed) {
      StorageException kind =
          failed instanceof SQLException sql
              ? Database.failure("reading", sql)
              : (StorageException) failed;
      if (kind.isCorruption()) {
        int _ = await(commits.replaceBuffer(writer, kind));
      }
      throw kind;
    }
  }

  private void readFrom(BufferWriter writer) throws SQLException, StorageException {
    if (writer != readerOf) {
      reader.close();
      reader = PendingReader.open(file, writer.bufferId());
      readerOf = writer;
      rowsChecked = false;
    }
  }

  /// Deletes every pending record up to and with `throughId`, all of which the server has
  /// acknowledged; returns when that is on stable storage.
  ///
  /// @throws StorageException when it could not be committed; the records are then delivered again
  public void acknowledge(long throughId) throws StorageException, InterruptedException {
    int _ = await(commits.acknowledge(throughId));
  }

  /// Moves the first pending record to the table `rejected`, in one transaction.
  ///
  /// @throws StorageException when it could not be committed; the record is then still pending
  public void reject(Rejection rejection) throws StorageException, InterruptedException {
    int _ = await(commits.reject(rejection));
  }

  /// Does the next slice of what an operator decided about rejected records, in one transaction.
  /// The result comes in the writer's thread, when it is on stable storage; or the
  /// [StorageException] for which nothing of it was done. Does not block.
  public CompletableFuture<RejectedBatch.Slice> apply(RejectedBatch sweep) {
    return commits.apply(sweep);
  }

  /// Stores a batch that an operator puts in, in one transaction, behind all that was queued
  /// before. The result is how many records were stored, 0 when the batch was there already, and
  /// comes in the writer's thread when they are on stable storage; or the [StorageException] for
  /// which none of them was. Does not block.
  public CompletableFuture<Integer> importBatch(ImportBatch batch) {
    for (ImportBatch.Line line : batch.records()) {
      String problem = line.problem();
      if (problem != null) {
        return CompletableFuture.failedFuture(
            new StorageException("a record cannot be put in: " + problem));
      }
    }
    return commits.importBatch(batch);
  }

  /// Gives free room back to the file system and empties the write-ahead log, for a second at most,
  /// and only while nobody waits for a commit.
  ///
  /// @throws StorageException when that failed; nothing is lost by it
  public void reclaimSpace() throws StorageException, InterruptedException {
    long deadline = clock.nanos() + RECLAIM_NANOS;
    int left;
    do {
      left = await(commits.reclaimSpace());
    } while (left > 0 && waitingRecords() == 0 && clock.nanos() - deadline < 0);
  }

  private static int await(CompletableFuture<Integer> done)
      throws StorageException, InterruptedException {
    try {
      return done.get();
    } catch (ExecutionException failed) {
      throw failed.getCause() instanceof StorageException storage
          ? storage
          : new StorageException("the buffer failed", failed);
    }
  }

  /// The ledger as of the last commit.
  public Totals totals() {
    return commits.totals();
  }

  /// Whether every id ever given is delivered or rejected, as of the last commit.
  public boolean isDrained() {
    Totals now = totals();
    return now.lastId() == now.settledThrough();
  }

  /// Records that wait for their commit.
  public int waitingRecords() {
    return commits.waitingRecords();
  }

  /// What those weigh, in bytes.
  public long waitingBytes() {
    return commits.waitingBytes();
  }

  /// How long the oldest record that waits for its commit has waited, in nanoseconds; 0 when none
  /// waits.
  public long oldestWaitNanos() {
    Long since = commits.oldestWaitingNanos();
    return since == null ? 0 : clock.nanos() - since;
  }

  /// Bytes that must become free before records are accepted again; 0 while they are.
  public long shortage() {
    return reserve.shortage();
  }

  /// Why the storage is unusable, or null while it is usable.
  public @Nullable StorageException failure() {
    return commits.failure();
  }

  /// How many records this run has stored that clients sent.
  public long accepted() {
    return commits.accepted();
  }

  /// How many records this run has put into the table `rejected`.
  public long rejections() {
    return commits.rejections();
  }

  /// Writes what the buffer measures, and how it stands. Reads from the disk. Any thread, also
  /// after [#close].
  public void writeTo(Exposition out) {
    commits.writeTo(out);
    BufferStateMetrics state = atClose;
    (state == null ? look() : state).writeTo(out, file, volume, clock.millis());
    out.gauge(BufferStateMetrics.SHORTAGE, BufferStateMetrics.SHORTAGE_HELP, shortage());
  }

  private BufferStateMetrics look() {
    Totals now = totals();
    if (now.lastId() != now.settledThrough()) {
      try (BufferView view =
          BufferView.open(Objects.requireNonNull(file.toAbsolutePath().getParent()))) {
        return new BufferStateMetrics(now, view.nextReceivedAt());
      } catch (StorageException failed) {
        // Somebody else finds out what that means.
        Events.warning(EventNames.OLDEST_RECORD_UNKNOWN, "reason", failed.getMessage());
      }
    }
    return new BufferStateMetrics(now, null);
  }

  /// Whether something was wrong with what was on disk: a file set aside or salvaged, or a ledger
  /// that does not add up.
  public boolean wasDamaged() {
    return damaged || commits.writer().ledgerBroken();
  }

  /// Commits what waits, counts the rows against the ledger, for a quarter of a second at most, and
  /// closes the file, its log written back when nothing stands in the way.
  @Override
  public void close() throws StorageException, InterruptedException {
    commits.close();
    // Before the file is closed: to look at it later would open it anew.
    atClose = look();
    try {
      BufferWriter writer = commits.writer();
      if (failure() == null && !writer.isClosed()) {
        writer.countLedger(new BoundedRowCount(clock, COUNT_AT_CLOSE));
      }
      reader.close();
      writer.close();
    } catch (SQLException failed) {
      throw Database.failure("closing buffer.db", failed);
    } catch (IOException failed) {
      throw new StorageException("closing the watermark failed: " + failed, failed);
    }
  }
}
