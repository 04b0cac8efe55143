package com.datanadhi.sdk.internal.files;

import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeoutException;

/**
 * A lock that at most one thread of all processes holds, based on a lock on a file. The kernel
 * releases it when its holder dies. The file is never deleted: a process could hold the lock on the
 * deleted file while another locks a new one. Thread-safe.
 */
public final class InterProcessLock {
  private static final Duration POLL = Duration.ofMillis(10);

  private final Path file;
  private final Clock clock;
  private final Waiter waiter;

  /** The lock on {@code file}, which is created when it is locked first. */
  public InterProcessLock(Path file, Clock clock, Waiter waiter) {
    this.file = file;
    this.clock = clock;
    this.waiter = waiter;
  }

  /**
   * Runs {@code action} while it holds the lock.
   *
   * @param timeout how long to wait for other processes; threads of this process are waited for
   *     without a limit
   * @throws TimeoutException if another process holds the lock longer than that
   * @throws IOException if the file cannot be created or locked, or from {@code action}
   * @throws ActionFailedException if {@code action} throws another checked exception
   */
  public <T> T withLock(Duration timeout, Callable<T> action)
      throws IOException, TimeoutException, InterruptedException, ActionFailedException {
    // POSIX file locks belong to the process, and closing any channel of the file releases them:
    // only one thread of this process may open the file. An interned string is the same object for
    // all class loaders, and so for all copies of the SDK in this process.
    synchronized (("com.datanadhi.sdk.lock:" + file).intern()) {
      try (FileChannel channel =
          FileChannel.open(
              file,
              Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
              PrivateFiles.FILE_ATTRIBUTES)) {
        FileLock lock = acquire(channel, timeout);
        try {
          return action.call();
        } catch (IOException | InterruptedException | RuntimeException declared) {
          throw declared;
        } catch (Exception other) {
          throw new ActionFailedException(other);
        } finally {
          lock.release();
        }
      }
    }
  }

  private FileLock acquire(FileChannel channel, Duration timeout)
      throws IOException, TimeoutException, InterruptedException {
    long end = clock.nanos() + timeout.toNanos();
    while (true) {
      try {
        FileLock lock = channel.tryLock();
        if (lock != null) {
          return lock;
        }
      } catch (OverlappingFileLockException lockedInThisProcess) {
        // By code that does not use this class: treated as another process.
      }
      if (clock.nanos() - end > 0) {
        throw new TimeoutException(file + " is locked by another process");
      }
      waiter.sleep(POLL);
    }
  }

  /** Wraps a checked exception of the action, other than those that are declared. */
  public static final class ActionFailedException extends Exception {
    private static final long serialVersionUID = 1;

    ActionFailedException(Throwable cause) {
      super(cause);
    }
  }
}
