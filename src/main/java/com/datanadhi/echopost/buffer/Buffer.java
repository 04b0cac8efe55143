package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/// The embedded buffer: records in the order they were accepted, until the server has acknowledged
/// them.
///
/// What it promises: a record whose [Append] was settled as stored is on stable storage (SQLite in
/// WAL mode with `synchronous=FULL`: the commit returned after fsync) and comes out of [#read] in
/// its place, also after a crash or a power loss, until it is acknowledged or rejected. At every
/// commit `accepted = delivered + pending + rejected + discarded`.
///
/// What it does not promise: a record whose append failed may be stored all the same; and a disk
/// that lies about fsync can lose what it said it had.
///
/// One process opens a buffer at a time; whoever opens it sees to that. Appends, acknowledgements
/// and rejections may come from any thread; reads from one thread at a time.
public final class Buffer implements AutoCloseable {
  static final String FILE = "buffer.db";
  private static final String RESERVE = "reserve";
  private static final long WRITER_PATIENCE_MILLIS = 1_000;

  /// Less than the 30 s after which a call that waits for its commit means that the disk hangs.
  private static final Duration LOCK_PATIENCE = Duration.ofSeconds(20);

  private static final long TIDY_NANOS = 1_000_000_000;

  /// Enough for some 100,000 rows. A successor waits for the directory meanwhile.
  private static final Duration COUNT_AT_CLOSE = Duration.ofMillis(250);

  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH-mm-ss'Z'").withZone(ZoneOffset.UTC);

  /// Hears of what the writer did, in the writer's thread; must not block.
  public interface Listener {
    /// New records are on stable storage.
    void stored();

    /// The storage has become unusable; see [Buffer#failure].
    void failed();
  }

  private final Clock clock;
  private final Connection connection;
  private final Writer writer;
  private final Reader reader;
  private final Reserve reserve;
  private final GroupCommit commits;
  private final boolean setAside;

  private Buffer(
      Clock clock,
      Connection connection,
      Writer writer,
      Reader reader,
      Reserve reserve,
      GroupCommit commits,
      boolean setAside) {
    this.clock = clock;
    this.connection = connection;
    this.writer = writer;
    this.reader = reader;
    this.reserve = reserve;
    this.commits = commits;
    this.setAside = setAside;
  }

  /// Whether there is a buffer in `directory`.
  public static boolean existsIn(Path directory) {
    return Files.isRegularFile(directory.resolve(FILE), LinkOption.NOFOLLOW_LINKS);
  }

  /// Opens the buffer in `directory`, creating it when there is none. A file that is not a sound
  /// buffer is set aside as `buffer.db.damaged-<time>` and a new one is begun.
  ///
  /// @param listener told of commits
  /// @throws StorageException when there is no usable storage, with what to do about it
  public static Buffer open(Path directory, Clock clock, Listener listener)
      throws StorageException {
    Path file = directory.resolve(FILE);
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
      }
      PrivateFiles.createIfMissing(file);
      writeLogAgain(file);
      boolean setAside = false;
      Connection connection;
      try {
        connection = Database.openWriter(file, volume.walBound(), WRITER_PATIENCE_MILLIS);
      } catch (StorageException.Full full) {
        // What an earlier run kept in reserve is for this too: to deliver is what makes room.
        if (!giveUpReserve(directory)) {
          throw full;
        }
        connection = Database.openWriter(file, volume.walBound(), WRITER_PATIENCE_MILLIS);
      } catch (StorageException.Damaged damaged) {
        setAside(file, clock, damaged);
        setAside = true;
        connection = Database.openWriter(file, volume.walBound(), WRITER_PATIENCE_MILLIS);
      }
      return assemble(file, connection, volume, clock, listener, setAside);
    } catch (StorageException.Full full) {
      throw new StorageException(
          "no room for the buffer in " + directory + ": free some, then start again", full);
    } catch (IOException failed) {
      throw new StorageException("cannot use " + file + ": " + failed, failed);
    }
  }

  private static Buffer assemble(
      Path file,
      Connection connection,
      Volume volume,
      Clock clock,
      Listener listener,
      boolean setAside)
      throws StorageException, IOException {
    try {
      Writer writer = new Writer(connection);
      writer.checkLedger();
      Reader reader = Reader.open(file, writer.bufferId());
      Reserve reserve = new Reserve(file.resolveSibling(RESERVE), volume);
      GroupCommit commits = new GroupCommit(writer, reserve, listener, clock, LOCK_PATIENCE);
      commits.start();
      return new Buffer(clock, connection, writer, reader, reserve, commits, setAside);
    } catch (SQLException failed) {
      throw Database.failure("opening buffer.db", failed);
    }
  }

  /// Where an earlier run ended in a failed fsync, its log can be less on the disk than it seems: a
  /// power loss would then take what is written behind it too.
  private static void writeLogAgain(Path file) throws IOException {
    Path log = logOf(file);
    if (!Files.exists(log)) {
      return;
    }
    try {
      PrivateFiles.writeAgain(log);
    } catch (IOException failed) {
      // Some file systems need room even to write what is there already.
      if (!Files.deleteIfExists(file.resolveSibling(RESERVE))) {
        throw failed;
      }
      PrivateFiles.writeAgain(log);
    }
  }

  private static Path logOf(Path file) {
    return file.resolveSibling(FILE + "-wal");
  }

  private static void setAside(Path file, Clock clock, StorageException why) throws IOException {
    String suffix = ".damaged-" + STAMP.format(clock.now());
    Path aside = file.resolveSibling(FILE + suffix);
    for (int n = 2; Files.exists(aside); n++) {
      aside = file.resolveSibling(FILE + suffix + "-" + n);
    }
    Path log = logOf(file);
    Files.move(file, aside, StandardCopyOption.ATOMIC_MOVE);
    if (Files.exists(log)) {
      Files.move(
          log, aside.resolveSibling(aside.getFileName() + "-wal"), StandardCopyOption.ATOMIC_MOVE);
    }
    Files.deleteIfExists(file.resolveSibling(FILE + "-shm"));
    PrivateFiles.createIfMissing(file);
    PrivateFiles.syncDirectoryOf(file);
    Events.severe(
        "buffer_damaged",
        "reason",
        why.getMessage(),
        "set_aside",
        aside.getFileName(),
        "mend",
        "records that were pending in it are not delivered by themselves: keep the file");
  }

  /// Gives up the room that an earlier run kept in reserve in `directory`, for one that cannot even
  /// begin on a full disk.
  ///
  /// @return whether there was any
  public static boolean giveUpReserve(Path directory) throws IOException {
    return Files.deleteIfExists(directory.resolve(RESERVE));
  }

  /// Queues one record behind all that were queued before; its [Append#settled] says how it ended.
  /// Does not block.
  public void append(Append append) {
    commits.append(append, clock.nanos());
  }

  /// The first pending records in replay order: at most `maxRecords`, and no more once `maxBytes`
  /// are reached, but one at least.
  ///
  /// @throws StorageException when the file cannot be read
  public List<PendingRecord> read(int maxRecords, long maxBytes) throws StorageException {
    try {
      return reader.read(totals().settledThrough(), maxRecords, maxBytes);
    } catch (SQLException failed) {
      throw Database.failure("reading", failed);
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
  public CompletableFuture<Sweep.Slice> sweep(Sweep sweep) {
    return commits.sweep(sweep);
  }

  /// Gives free room back to the file system and empties the write-ahead log, for a second at most,
  /// and only while nobody waits for a commit.
  ///
  /// @throws StorageException when that failed; nothing is lost by it
  public void tidy() throws StorageException, InterruptedException {
    long deadline = clock.nanos() + TIDY_NANOS;
    int left;
    do {
      left = await(commits.tidy());
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

  /// How many records this run has put into the table `rejected`.
  public long rejections() {
    return commits.rejections();
  }

  /// Whether something was wrong with what was on disk: a file set aside, or a ledger that does not
  /// add up.
  public boolean wasDamaged() {
    return setAside || writer.ledgerBroken();
  }

  /// Commits what waits, counts the rows against the ledger, for a quarter of a second at most, and
  /// closes the file, its log written back when nothing stands in the way.
  @Override
  public void close() throws StorageException, InterruptedException {
    commits.close();
    try {
      if (failure() == null && !connection.isClosed()) {
        writer.countLedger(new LedgerCount(clock, COUNT_AT_CLOSE));
      }
      reader.close();
      connection.close();
    } catch (SQLException failed) {
      throw Database.failure("closing buffer.db", failed);
    }
  }
}
