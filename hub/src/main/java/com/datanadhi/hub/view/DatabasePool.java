package com.datanadhi.hub.view;

import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.ViewException.Kind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The open connections, at most a number of them. Thread-safe.
///
/// A database has one connection for its writer and some for readers. They are closed together, the
/// least recently used database first, and before another one is opened: as long as a file is open
/// once in the process, SQLite keeps the descriptors of its closed connections too, because closing
/// one would release the locks of all (https://sqlite.org/howtocorrupt.html, 2.2).
///
/// Page caches are small, but for the databases that were written last.
final class DatabasePool {
  /// db, -wal and -shm; further connections to a database share its -shm.
  static final int FILES_PER_CONNECTION = 3;

  private static final int CACHES_KIB = 64 << 10;
  private static final int LARGE_CACHES = 4;
  private static final int LARGE_KIB = 8 << 10;

  private final int maxConnections;
  private final int maxReaders;
  private final int smallKib;
  private final Duration patience;
  private final Clock clock;
  private final Function<DatabaseId, Path> files;
  private final Opener opener;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition capacity = lock.newCondition();
  private final Map<DatabaseId, OpenDatabase> databases = new HashMap<>();
  private final LinkedHashSet<OpenDatabase> idle = new LinkedHashSet<>();
  private final LinkedHashSet<Handle> large = new LinkedHashSet<>();
  private int connections;
  private boolean closed;

  /// @param maxFiles open files in all
  /// @param patience how long a caller waits for its turn
  /// @param files where a database is
  DatabasePool(
      int maxFiles,
      Duration patience,
      Clock clock,
      Function<DatabaseId, Path> files,
      Opener opener) {
    maxConnections = maxFiles / FILES_PER_CONNECTION;
    if (maxConnections < 2) {
      throw new IllegalArgumentException(
          "at least " + 2 * FILES_PER_CONNECTION + " open files are needed, not " + maxFiles);
    }
    maxReaders = Math.clamp(maxConnections / 8, 1, 8);
    smallKib = Math.max(100, (CACHES_KIB - LARGE_CACHES * LARGE_KIB) / maxConnections);
    this.patience = patience;
    this.clock = clock;
    this.files = files;
    this.opener = opener;
  }

  /// Opens a connection.
  @FunctionalInterface
  interface Opener {
    /// Opens it.
    ///
    /// @param first whether there is no other connection to this file
    Handle open(DatabaseId id, Path file, boolean write, boolean first, int cacheKib)
        throws ViewException;
  }

  /// A connection that the caller has for itself until it closes this.
  final class Lease implements AutoCloseable {
    private final OpenDatabase database;
    private final Handle handle;
    private final boolean write;

    private Lease(OpenDatabase database, Handle handle, boolean write) {
      this.database = database;
      this.handle = handle;
      this.write = write;
    }

    Handle handle() {
      return handle;
    }

    @Override
    public void close() {
      release(database, handle, write);
    }
  }

  /// The next turn on a database: one writer and some readers at the same time.
  Lease lease(DatabaseId id, boolean write) throws ViewException, InterruptedException {
    long deadline = clock.nanoTime() + patience.toNanos();
    while (true) {
      Lease lease = lease(id, write, deadline);
      boolean fits = false;
      try {
        if (lease.handle.hasItsFiles()) {
          fits = true;
          return lease;
        }
      } finally {
        if (!fits) {
          lease.close();
        }
      }
      // Somebody has deleted or replaced the files. While one connection to the old file is open,
      // SQLite must not open a new one beside its -wal and -shm.
      exclusively(id, () -> {});
    }
  }

  private Lease lease(DatabaseId id, boolean write, long deadline)
      throws ViewException, InterruptedException {
    OpenDatabase database;
    boolean first;
    lock.lockInterruptibly();
    try {
      database = enter(id);
      try {
        Handle found = take(database, write, deadline);
        if (found != null) {
          return new Lease(database, found, write);
        }
        first = database.connections == 1;
      } catch (ViewException | InterruptedException | RuntimeException failed) {
        leave(database);
        throw failed;
      }
    } finally {
      lock.unlock();
    }
    @Nullable Handle opened = null;
    try {
      opened = opener.open(id, database.file, write, first, smallKib);
    } finally {
      lock.lock();
      try {
        database.opening = false;
        if (opened == null) {
          database.connections--;
          connections--;
          capacity.signalAll();
          database.release(write);
          afterRelease(database);
        } else {
          opened.leased(true);
          enlarge(opened, write);
          database.changed.signalAll();
        }
      } finally {
        lock.unlock();
      }
    }
    return new Lease(database, opened, write);
  }

  /// Takes a turn with the lock held.
  ///
  /// @return an idle connection, or null if the caller is to open one
  private @Nullable Handle take(OpenDatabase database, boolean write, long deadline)
      throws ViewException, InterruptedException {
    while (true) {
      if (closed) {
        throw new ViewException(Kind.UNAVAILABLE, database.file + ": the hub is stopping", null);
      }
      boolean busy = write ? database.writing : database.reading >= maxReaders;
      if (database.exclusive || busy) {
        await(database.changed, database, deadline);
        continue;
      }
      Handle found = database.take(write);
      if (found != null) {
        idle.remove(database);
        database.lease(write);
        found.leased(true);
        enlarge(found, write);
        return found;
      }
      if (database.opening) {
        await(database.changed, database, deadline);
      } else if (connections < maxConnections) {
        idle.remove(database);
        connections++;
        database.connections++;
        database.opening = true;
        database.lease(write);
        return null;
      } else if (idle.isEmpty()) {
        await(capacity, database, deadline);
      } else {
        OpenDatabase victim = idle.removeFirst();
        victim.exclusive = true;
        try {
          closeAll(victim, () -> {});
        } finally {
          endExclusive(victim);
        }
      }
    }
  }

  private void release(OpenDatabase database, Handle handle, boolean write) {
    boolean sound = handle.sqlite().failure() == null;
    boolean shrink;
    lock.lock();
    try {
      shrink = handle.shrink();
      handle.shrink(false);
    } finally {
      lock.unlock();
    }
    if (sound && shrink) {
      sound = shrink(handle);
    }
    if (!sound) {
      handle.sqlite().close();
    }
    lock.lock();
    try {
      handle.leased(false);
      if (sound) {
        database.put(handle, write);
      } else {
        large.remove(handle);
        database.connections--;
        connections--;
      }
      database.release(write);
      afterRelease(database);
    } finally {
      lock.unlock();
    }
  }

  private void afterRelease(OpenDatabase database) {
    if (!database.leased() && database.connections > 0 && !database.exclusive) {
      idle.add(database);
    }
    database.changed.signalAll();
    capacity.signalAll();
    leave(database);
  }

  private OpenDatabase enter(DatabaseId id) {
    OpenDatabase database =
        databases.computeIfAbsent(
            id, missing -> new OpenDatabase(id, files.apply(id), lock.newCondition()));
    database.users++;
    return database;
  }

  private void leave(OpenDatabase database) {
    database.users--;
    forgetUnused(database);
  }

  private void forgetUnused(OpenDatabase database) {
    if (database.users == 0 && database.connections == 0 && !database.exclusive) {
      databases.remove(database.id);
      idle.remove(database);
    }
  }

  /// Closes all connections to a database, runs `action` on its closed files, and lets others in
  /// again.
  void exclusively(DatabaseId id, Action action) throws ViewException, InterruptedException {
    long deadline = clock.nanoTime() + patience.toNanos() + CanonicalReader.MAX_READ_NANOS;
    lock.lockInterruptibly();
    try {
      OpenDatabase database = enter(id);
      try {
        while (database.exclusive) {
          await(database.changed, database, deadline);
        }
        database.exclusive = true;
        idle.remove(database);
        try {
          while (database.leased()) {
            await(database.changed, database, deadline);
          }
          closeAll(database, action);
        } finally {
          endExclusive(database);
        }
      } finally {
        leave(database);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Work on closed files.
  @FunctionalInterface
  interface Action {
    void run() throws ViewException;
  }

  /// Closes the connections of a database that nobody has a lease of. Gives the lock away
  /// meanwhile.
  private void closeAll(OpenDatabase database, Action action) throws ViewException {
    List<Handle> handles = database.takeAll();
    large.removeAll(handles);
    lock.unlock();
    try {
      handles.forEach(handle -> handle.sqlite().close());
      action.run();
    } finally {
      lock.lock();
      database.connections -= handles.size();
      connections -= handles.size();
      capacity.signalAll();
    }
  }

  private void endExclusive(OpenDatabase database) {
    database.exclusive = false;
    if (database.connections > 0 && !database.leased()) {
      idle.add(database); // its turn to be closed did not come
    }
    database.changed.signalAll();
    forgetUnused(database);
  }

  @SuppressWarnings("WaitNotInLoop") // its callers loop
  private void await(Condition condition, OpenDatabase database, long deadline)
      throws ViewException, InterruptedException {
    long left = deadline - clock.nanoTime();
    if (left <= 0) {
      throw new ViewException(
          Kind.UNAVAILABLE, database.file + ": is in use, and its turn did not come in time", null);
    }
    long _ = condition.awaitNanos(left);
  }

  /// Gives a writer a large page cache, and takes it from the one that has not written for longest.
  private void enlarge(Handle handle, boolean write) {
    if (!write) {
      return;
    }
    handle.shrink(false);
    if (large.remove(handle)) {
      large.add(handle);
      return;
    }
    large.add(handle);
    resize(handle, LARGE_KIB);
    if (large.size() > LARGE_CACHES) {
      Handle oldest = large.removeFirst();
      if (oldest.leased()) {
        oldest.shrink(true);
      } else {
        boolean _ = shrink(oldest);
      }
    }
  }

  private boolean shrink(Handle handle) {
    if (!resize(handle, smallKib)) {
      return false;
    }
    handle.sqlite().shrink();
    return true;
  }

  /// @return whether it worked; a connection on which it did not is closed when it is given back
  private static boolean resize(Handle handle, int kib) {
    try {
      handle.sqlite().cacheKib(kib);
      return true;
    } catch (ViewFailure failed) {
      return false;
    }
  }

  /// How many files are open.
  int openFiles() {
    lock.lock();
    try {
      int files = 0;
      for (OpenDatabase database : databases.values()) {
        files += database.connections == 0 ? 0 : 2 * database.connections + 1;
      }
      return files;
    } finally {
      lock.unlock();
    }
  }

  /// Gives no more leases, waits for those that are out, and closes everything.
  void close() {
    long deadline = clock.nanoTime() + patience.toNanos();
    lock.lock();
    try {
      closed = true;
      databases.values().forEach(database -> database.changed.signalAll());
      capacity.signalAll();
      while (true) {
        while (!idle.isEmpty()) {
          OpenDatabase database = idle.removeFirst();
          database.exclusive = true;
          try {
            closeAll(database, () -> {});
          } catch (ViewException impossible) {
            throw new AssertionError(impossible);
          } finally {
            endExclusive(database);
          }
        }
        long left = deadline - clock.nanoTime();
        if (connections == 0 || left <= 0) {
          return;
        }
        try {
          long _ = capacity.awaitNanos(left);
        } catch (InterruptedException stop) {
          Thread.currentThread().interrupt();
          return;
        }
      }
    } finally {
      lock.unlock();
    }
  }
}
