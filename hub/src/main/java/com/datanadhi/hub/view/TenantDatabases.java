package com.datanadhi.hub.view;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.datanadhi.hub.record.Digests;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.DatabasePool.Lease;
import com.datanadhi.hub.view.ViewException.Kind;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The databases of all tenants, below `DIR/tenants/<2 hex>/<tenant>/`. The 2 hex digits are the
/// first of SHA-256 of the name. Keeps at most a number of files open, and closes the least
/// recently used. Thread-safe; one tenant has one writer at a time.
///
/// Work of one tenant must not call methods here for the same tenant: it would wait for itself.
/// Calls whose turn does not come within 30 s throw [ViewException.Kind#UNAVAILABLE].
///
/// A database whose files were deleted or replaced by somebody is reopened at the next call, and is
/// then what stands there: reading one that is missing fails, writing one makes an empty one. So
/// callers look at the state in each transaction.
public final class TenantDatabases implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  // Beyond it a writer waits for the readers of old snapshots, so that SQLite can restart the log.
  private static final long MAX_WAL_BYTES = 64L << 20;
  private static final long WAL_TRIES_NANOS = 10_000_000_000L;

  private static final long MIN_COPY_NANOS = 60_000_000_000L;
  private static final long MIN_COPY_BYTES_A_SECOND = 20L << 20;

  private static final String SYNC_ALL = "PRAGMA wal_checkpoint(TRUNCATE)";
  private static final DateTimeFormatter UTC =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

  private final Path root;
  private final DatabasePool pool;
  private final Clock clock;
  private final CommitTimer timer;
  private final boolean isSafeAfterCommit;
  private volatile long walTried;

  /// @param tenants `DIR/tenants`
  /// @param maxFiles open database files in all, at least 6: a connection has a database file, its
  ///   write-ahead log and the log's index
  public TenantDatabases(Path tenants, int maxFiles) {
    this(tenants, maxFiles, _ -> {});
  }

  /// As above.
  ///
  /// @param timer is told of each commit
  public TenantDatabases(Path tenants, int maxFiles, CommitTimer timer) {
    this(tenants, maxFiles, PATIENCE, Clock.system(), timer);
  }

  /// Databases that are being made, and that are thrown away if anything fails: a commit writes no
  /// write-ahead log, and what is committed is only safe after [#checkpoint]. A writer and readers
  /// of one database at the same time are in each other's way: that ends with
  /// [ViewException.Kind#UNAVAILABLE].
  public static TenantDatabases unfinished(Path tenants, int maxFiles) {
    return new TenantDatabases(tenants, maxFiles, PATIENCE, Clock.system(), _ -> {}, false);
  }

  TenantDatabases(Path tenants, int maxFiles, Duration patience, Clock clock, CommitTimer timer) {
    this(tenants, maxFiles, patience, clock, timer, true);
  }

  private TenantDatabases(
      Path tenants,
      int maxFiles,
      Duration patience,
      Clock clock,
      CommitTimer timer,
      boolean isSafeAfterCommit) {
    root = tenants;
    this.isSafeAfterCommit = isSafeAfterCommit;
    this.clock = clock;
    this.timer = timer;
    walTried = clock.nanoTime() - WAL_TRIES_NANOS;
    pool = new DatabasePool(maxFiles, patience, clock, this::file, this::open);
  }

  /// Work on a consistent view of canonical.db.
  @FunctionalInterface
  public interface Reading<T> {
    /// Does it.
    T run(TenantReader reader) throws InterruptedException;
  }

  /// Work in one transaction on canonical.db.
  @FunctionalInterface
  public interface Writing<T> {
    /// Does it; the transaction is committed when it returns and rolled back when it throws.
    T run(TenantWriter writer) throws InterruptedException;
  }

  /// Work on a consistent view of mailbox.db.
  @FunctionalInterface
  public interface MailboxReading<T> {
    /// Does it.
    T run(MailboxReader reader) throws InterruptedException;
  }

  /// Work in one transaction on mailbox.db.
  @FunctionalInterface
  public interface MailboxWriting<T> {
    /// Does it; the transaction is committed when it returns and rolled back when it throws.
    T run(MailboxWriter writer) throws InterruptedException;
  }

  /// Runs `work` on a snapshot of canonical.db; one that is missing is
  /// [ViewException.Kind#DAMAGED]. Many at the same time; they do not block the writer. While a
  /// snapshot is held, SQLite cannot restart the write-ahead log, so reading records ends with
  /// [ViewException.Kind#UNAVAILABLE] after 30 s: read in pages.
  public <T> T read(String tenant, Reading<T> work) throws ViewException, InterruptedException {
    return transaction(
        new DatabaseId(tenant, DatabaseKind.CANONICAL),
        false,
        tables -> work.run((TenantReader) tables));
  }

  /// Runs `work` in one transaction of canonical.db, which is created when it is missing. After a
  /// commit a process can be killed without loss; after a power loss the newest commits can be
  /// missing ([#checkpoint] ends that).
  public <T> T write(String tenant, Writing<T> work) throws ViewException, InterruptedException {
    return transaction(
        new DatabaseId(tenant, DatabaseKind.CANONICAL),
        true,
        tables -> work.run((TenantWriter) tables));
  }

  /// Runs `work` on a snapshot of mailbox.db, which is created when it is missing.
  public <T> T readMailbox(String tenant, MailboxReading<T> work)
      throws ViewException, InterruptedException {
    return transaction(
        new DatabaseId(tenant, DatabaseKind.MAILBOX),
        false,
        tables -> work.run((MailboxReader) tables));
  }

  /// Runs `work` in one transaction of mailbox.db, which is created when it is missing.
  public <T> T writeMailbox(String tenant, MailboxWriting<T> work)
      throws ViewException, InterruptedException {
    return transaction(
        new DatabaseId(tenant, DatabaseKind.MAILBOX),
        true,
        tables -> work.run((MailboxWriter) tables));
  }

  private <T> T transaction(DatabaseId id, boolean write, Work<T> work)
      throws ViewException, InterruptedException {
    try (Lease lease = pool.lease(id, write)) {
      Sqlite sqlite = lease.handle().sqlite();
      Tables tables = lease.handle().tables();
      boolean done = false;
      try {
        if (write) {
          sqlite.beginWrite();
        } else {
          sqlite.beginRead();
        }
        tables.began();
        T result = work.run(tables);
        throwIfFailed(sqlite); // the caller may have swallowed it
        tables.flush();
        long begin = clock.nanoTime();
        sqlite.commit();
        done = true;
        if (write) {
          timer.committed(clock.nanoTime() - begin);
        }
        tables.committed();
        if (write) {
          afterCommit(lease.handle());
        }
        return result;
      } catch (ViewFailure failed) {
        throw failed.failure();
      } finally {
        if (!done) {
          sqlite.rollback();
          tables.rolledBack();
        }
      }
    }
  }

  /// Work in a transaction.
  @FunctionalInterface
  private interface Work<T> {
    T run(Tables tables) throws InterruptedException;
  }

  private static void throwIfFailed(Sqlite sqlite) throws ViewException {
    ViewException failure = sqlite.failure();
    if (failure != null) {
      throw failure;
    }
  }

  private void afterCommit(Handle handle) throws ViewException {
    Path file = handle.sqlite().file();
    if (!handle.hasItsFile()) {
      throw new ViewException(
          Kind.DAMAGED, file + ": was deleted or replaced while it was written", null);
    }
    long now = clock.nanoTime();
    // SQLite copies the log into the database after each commit that makes it long, but
    // restarts it only when no reader needs it: under constant reading it would grow without end.
    if (now - walTried > WAL_TRIES_NANOS && Handle.wal(file).toFile().length() > MAX_WAL_BYTES) {
      walTried = now;
      String _ = handle.sqlite().text(SYNC_ALL);
    }
  }

  /// Makes everything that is committed in both databases of the tenant durable: checkpoints them
  /// and syncs the files and their directories.
  public void checkpoint(String tenant) throws ViewException, InterruptedException {
    for (DatabaseKind kind : DatabaseKind.values()) {
      DatabaseId id = new DatabaseId(tenant, kind);
      if (!Files.exists(file(id))) {
        continue;
      }
      if (isSafeAfterCommit) {
        checkpoint(id);
      } else {
        // Closing a channel to it would release the locks of connections that are open.
        pool.exclusively(id, () -> {});
        sync(file(id));
      }
    }
    Path directory = directory(tenant);
    if (Files.exists(directory)) {
      sync(directory);
      sync(directory.resolve("..").normalize());
      sync(root);
    }
  }

  private void checkpoint(DatabaseId id) throws ViewException, InterruptedException {
    try (Lease lease = pool.lease(id, true)) {
      // With synchronous=NORMAL it syncs the log before it copies, and the database after it.
      String busy = lease.handle().sqlite().text(SYNC_ALL);
      if (!"0".equals(busy)) {
        // A reader needs the log as it is. Its file can be synced from here: unlike the database
        // and the index it carries none of SQLite's locks, which closing a channel would release.
        sync(Handle.wal(file(id)));
      }
    } catch (ViewFailure failed) {
      throw failed.failure();
    }
  }

  /// Copies the tenant's databases, each as it is at one moment: mailbox.db first, so that its copy
  /// is never ahead of the other. Others read and write meanwhile. A copy is one file without a
  /// write-ahead log, for its owner alone, and is on stable storage when this returns.
  ///
  /// While a database is copied its snapshot is held, so its write-ahead log grows by what is
  /// written. After 60 s and a second more for each 20 MiB of the database this ends with
  /// [ViewException.Kind#UNAVAILABLE]. An interrupt ends it within milliseconds. The caller deletes
  /// what a failure leaves. One file more than the most is open meanwhile.
  ///
  /// @param canonical where the copy of canonical.db goes, in an existing directory; there is no
  ///   such file yet
  /// @param mailbox the same for mailbox.db
  /// @return whether the tenant has a mailbox.db
  public boolean copy(String tenant, Path canonical, Path mailbox)
      throws ViewException, InterruptedException {
    boolean hasMailbox = copy(new DatabaseId(tenant, DatabaseKind.MAILBOX), mailbox);
    if (!copy(new DatabaseId(tenant, DatabaseKind.CANONICAL), canonical)) {
      Path file = file(new DatabaseId(tenant, DatabaseKind.CANONICAL));
      throw new ViewException(Kind.UNAVAILABLE, file + ": does not exist", null);
    }
    sync(canonical.resolveSibling(".").normalize());
    return hasMailbox;
  }

  private boolean copy(DatabaseId id, Path target) throws ViewException, InterruptedException {
    if (!Files.exists(file(id))) {
      return false;
    }
    try (Lease lease = pool.lease(id, false)) {
      Sqlite sqlite = lease.handle().sqlite();
      create(target);
      long deadline = clock.nanoTime() + copyNanos(sqlite.file());
      sqlite.run("PRAGMA query_only=OFF"); // it would refuse the copy too
      sqlite.endWhen(
          () -> Thread.currentThread().isInterrupted() || clock.nanoTime() - deadline > 0);
      sqlite.copyInto(target);
      sqlite.endNever();
      sqlite.run("PRAGMA query_only=ON");
    } catch (ViewFailure failed) {
      // The connection has failed, so nobody uses it again.
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      throw failed.failure();
    }
    sync(target);
    return true;
  }

  private static long copyNanos(Path file) {
    return MIN_COPY_NANOS + file.toFile().length() / MIN_COPY_BYTES_A_SECOND * 1_000_000_000L;
  }

  /// Looks for damage in canonical.db, as after an unclean end.
  ///
  /// @throws ViewException it is damaged, or cannot be used now
  public void check(String tenant) throws ViewException, InterruptedException {
    try (Lease lease = pool.lease(new DatabaseId(tenant, DatabaseKind.CANONICAL), false)) {
      UncleanEnd.check(lease.handle().sqlite(), DatabaseKind.CANONICAL);
    }
  }

  private static void sync(Path path) throws ViewException, InterruptedException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (ClosedByInterruptException interrupted) {
      boolean _ = Thread.interrupted();
      throw new InterruptedException();
    } catch (IOException failed) {
      throw unavailable(path, failed);
    }
  }

  /// Closes the tenant's databases and renames their files, for a rebuild from nothing. Waits until
  /// all work of the tenant has ended. Files that are missing do not matter.
  ///
  /// @return the new name of canonical.db
  public Path setAside(String tenant) throws ViewException, InterruptedException {
    Path renamed = setAside(new DatabaseId(tenant, DatabaseKind.CANONICAL));
    Path _ = setAside(new DatabaseId(tenant, DatabaseKind.MAILBOX));
    return renamed;
  }

  /// Puts databases that were made elsewhere on the same file system into the tenant's place, after
  /// those that are there were set aside.
  ///
  /// @param made a directory with canonical.db and, if there is one, mailbox.db, without a
  ///   write-ahead log; nobody has them open
  public void putInPlace(String tenant, Path made) throws ViewException, InterruptedException {
    Path _ = setAside(tenant);
    for (DatabaseKind kind : DatabaseKind.values()) {
      DatabaseId id = new DatabaseId(tenant, kind);
      Path file = file(id);
      Path from = made.resolve(kind.fileName());
      if (Files.exists(from)) {
        pool.exclusively(id, () -> move(from, file));
      }
    }
    sync(directory(tenant));
  }

  private static void move(Path from, Path to) throws ViewException {
    try {
      if (to.getParent() != null) {
        Files.createDirectories(to.getParent());
      }
      Path _ = Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failed) {
      throw unavailable(to, failed);
    }
  }

  /// The same for mailbox.db alone, which can be built again from canonical.db.
  ///
  /// @return its new name
  public Path setAsideMailbox(String tenant) throws ViewException, InterruptedException {
    return setAside(new DatabaseId(tenant, DatabaseKind.MAILBOX));
  }

  private Path setAside(DatabaseId id) throws ViewException, InterruptedException {
    Path file = file(id);
    Path target = unusedName(file);
    pool.exclusively(
        id,
        () -> {
          // The log and its index keep their endings, so that sqlite3 can open what was set aside.
          rename(file, target, "");
          rename(file, target, "-wal");
          rename(file, target, "-shm");
        });
    if (Files.exists(file.resolveSibling("."))) {
      sync(directory(id.tenant()));
    }
    return target;
  }

  private Path unusedName(Path file) {
    String name =
        file.getFileName() + ".damaged-" + UTC.format(Instant.ofEpochMilli(clock.wallMillis()));
    Path target = file.resolveSibling(name);
    for (int i = 2; taken(target); i++) {
      target = file.resolveSibling(name + "." + i);
    }
    return target;
  }

  private static boolean taken(Path target) {
    return Files.exists(target) || Files.exists(Handle.wal(target));
  }

  private static void rename(Path file, Path target, String ending) throws ViewException {
    Path from = file.resolveSibling(file.getFileName() + ending);
    try {
      if (Files.exists(from)) {
        Path _ = Files.move(from, target.resolveSibling(target.getFileName() + ending));
      }
    } catch (IOException failed) {
      throw unavailable(from, failed);
    }
  }

  /// Whether the tenant has a canonical.db.
  public boolean exists(String tenant) {
    return Files.exists(file(new DatabaseId(tenant, DatabaseKind.CANONICAL)));
  }

  /// The tenants that have a directory, `_control` included, in any order.
  public List<String> tenants() throws ViewException {
    List<String> tenants = new ArrayList<>();
    if (!Files.exists(root)) {
      return tenants;
    }
    try (DirectoryStream<Path> prefixes = Files.newDirectoryStream(root, "[0-9a-f][0-9a-f]")) {
      for (Path prefix : prefixes) {
        try (DirectoryStream<Path> directories = Files.newDirectoryStream(prefix)) {
          for (Path directory : directories) {
            String name = String.valueOf(directory.getFileName());
            if (isName(name) && directory.equals(directory(name))) {
              tenants.add(name);
            }
          }
        }
      }
    } catch (IOException failed) {
      throw unavailable(root, failed);
    } catch (DirectoryIteratorException failed) {
      throw new ViewException(Kind.UNAVAILABLE, root + ": " + failed, failed);
    }
    return tenants;
  }

  /// How many database files are open.
  public int openFiles() {
    return pool.openFiles();
  }

  /// Waits for the work that is going on, checkpoints and closes everything.
  @Override
  public void close() {
    pool.close();
  }

  /// The directory of a tenant's databases.
  public Path directory(String tenant) {
    if (!isName(tenant)) {
      throw new IllegalArgumentException("not the name of a tenant: " + tenant);
    }
    String hash = Digests.hex(Digests.sha256().digest(tenant.getBytes(UTF_8)));
    return root.resolve(hash.substring(0, 2)).resolve(tenant);
  }

  private static boolean isName(String tenant) {
    return TenantName.isValid(tenant) || tenant.equals(TenantName.CONTROL);
  }

  private Path file(DatabaseId id) {
    return directory(id.tenant()).resolve(id.kind().fileName());
  }

  private Handle open(DatabaseId id, Path file, boolean write, boolean first, int cacheKib)
      throws ViewException {
    boolean unclean = first && Files.exists(Handle.wal(file));
    if (write || id.kind() == DatabaseKind.MAILBOX) {
      create(file);
    } else if (!Files.exists(file)) {
      // An empty one in its place would pass for a tenant without records.
      throw new ViewException(Kind.DAMAGED, file + ": is missing", null);
    }
    Sqlite sqlite =
        isSafeAfterCommit ? Sqlite.open(file, cacheKib) : Sqlite.openUnfinished(file, cacheKib);
    @Nullable Handle handle = null;
    try {
      if (unclean) {
        UncleanEnd.check(sqlite, id.kind());
      }
      Schema.migrate(sqlite, id.kind(), id.tenant());
      Tables tables =
          switch (id.kind()) {
            case CANONICAL ->
                write
                    ? new CanonicalWriter(sqlite, id.tenant(), clock)
                    : new CanonicalReader(sqlite, id.tenant(), clock);
            case MAILBOX -> new MailboxTables(sqlite);
          };
      if (!write) {
        sqlite.run("PRAGMA query_only=ON");
      }
      handle = new Handle(sqlite, tables);
      return handle;
    } catch (ViewFailure failed) {
      throw failed.failure();
    } finally {
      if (handle == null) {
        sqlite.close();
      }
    }
  }

  /// Creates an empty file, if none is there: SQLite's own would be readable for all.
  private static void create(Path file) throws ViewException {
    try {
      if (!Files.exists(file)) {
        Path _ =
            Files.createDirectories(
                file.resolveSibling(".").normalize(),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path _ =
            Files.createFile(
                file,
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      }
    } catch (FileAlreadyExistsException raced) {
      // Somebody else has created it.
    } catch (IOException failed) {
      throw unavailable(file, failed);
    }
  }

  private static ViewException unavailable(Path path, IOException failed) {
    return new ViewException(Kind.UNAVAILABLE, path + ": " + failed, failed);
  }
}
