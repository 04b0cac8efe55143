package com.datanadhi.sdk.internal.files;

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
 * One thread of all processes at a time, by the lock of a file. The kernel frees it when its holder
 * dies; the file stays, since whoever removes a lock file can lock two.
 */
public final class InterProcessLock {
  private InterProcessLock() {}

  /**
   * Does {@code work} while no other holder of {@code file} does any.
   *
   * @throws TimeoutException when the others do not end within {@code patience}
   * @throws IOException when the file cannot be made
   */
  public static <T> T guarded(Path file, Duration patience, Callable<T> work)
      throws IOException, TimeoutException, InterruptedException, Failed {
    // A file lock belongs to the process, and closing any channel of the file drops it (POSIX): so
    // only one thread of this process may even open it. The monitor is one for all class loaders.
    synchronized (("com.datanadhi.sdk.lock:" + file).intern()) {
      try (FileChannel channel =
          FileChannel.open(
              file,
              Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
              PrivateFiles.FILE)) {
        FileLock held = acquire(channel, file, patience);
        try {
          return work.call();
        } catch (IOException | InterruptedException | RuntimeException passedOn) {
          throw passedOn;
        } catch (Exception other) {
          throw new Failed(other);
        } finally {
          held.release();
        }
      }
    }
  }

  private static FileLock acquire(FileChannel channel, Path file, Duration patience)
      throws IOException, TimeoutException, InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    while (true) {
      try {
        FileLock lock = channel.tryLock();
        if (lock != null) {
          return lock;
        }
      } catch (OverlappingFileLockException elsewhere) {
        // Somebody in this process who does not know our monitor.
      }
      if (System.nanoTime() - end > 0) {
        throw new TimeoutException(file + " is locked by another process");
      }
      Thread.sleep(10);
    }
  }

  /** What {@code work} threw, when it is none of the usual. */
  public static final class Failed extends Exception {
    private static final long serialVersionUID = 1;

    Failed(Throwable cause) {
      super(cause);
    }
  }
}
