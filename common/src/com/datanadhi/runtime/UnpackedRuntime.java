package com.datanadhi.runtime;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The unpacked runtime from which this process runs. It is a directory of the cache, and those of
/// other versions are beside it.
///
/// A process that runs from a runtime holds a shared lock on the file `list` in it, which works
/// across containers that share a cache. The launcher cannot lock a file: from before it checks the
/// runtime until the JVM has the lock, a file `.start-<pid>` protects the runtime.
///
/// Not thread-safe.
public final class UnpackedRuntime implements AutoCloseable {
  /// How long a start may take. A start that is older was killed.
  static final Duration LONGEST_START = Duration.ofHours(1);

  /// How long a version is kept that was removed once and then came back: two versions are in use
  /// in turn, and unpacking at each start would be slow.
  static final Duration KEPT_AFTER_RETURN = Duration.ofDays(30);

  private static final String LIST = "list";
  private static final String START_MARKS = ".start-*";

  /// The prefix of a runtime while it is deleted.
  private static final String OLD_PREFIX = ".old-";

  /// The prefix of an empty file, which shows that a version was removed.
  private static final String REMOVED_PREFIX = ".removed-";

  /// A version, then the checksum and the size of the archive.
  private static final Pattern ID = Pattern.compile(".+-\\d+-\\d+");

  private final Path directory;
  private final Path startMark;
  private final @Nullable FileChannel lockedList;

  private UnpackedRuntime(Path directory, Path startMark, @Nullable FileChannel lockedList) {
    this.directory = directory;
    this.startMark = startMark;
    this.lockedList = lockedList;
  }

  /// Locks the runtime, until [#close] or the end of the process.
  ///
  /// @param startMark the launcher's file `.start-<pid>`, which is deleted once the lock is held.
  ///   If there is no lock, it stays until [#close]: the file system has no locks, or another
  ///   process is just checking whether this runtime is in use
  public static UnpackedRuntime hold(Path startMark) {
    Path directory = Objects.requireNonNull(startMark.getParent());
    FileChannel list = null;
    try {
      list = openList(directory, StandardOpenOption.READ);
      if (list.tryLock(0, Long.MAX_VALUE, true) != null) {
        Files.deleteIfExists(startMark);
      }
    } catch (IOException noLock) {
      // A cache may be read-only. The program works without the lock.
    }
    return new UnpackedRuntime(directory, startMark, list);
  }

  private static FileChannel openList(Path runtime, StandardOpenOption... options)
      throws IOException {
    Set<OpenOption> all = new HashSet<>(Set.of(options));
    all.add(LinkOption.NOFOLLOW_LINKS);
    return FileChannel.open(runtime.resolve(LIST), all);
  }

  /// Deletes the runtimes of other versions that no process uses, and the marks of starts that were
  /// killed. If this is interrupted, the next call continues.
  ///
  /// @param now milliseconds since 1970
  /// @throws IOException if one could not be deleted, as in a read-only cache
  public void removeUnused(long now) throws IOException {
    try (DirectoryStream<Path> marks = Files.newDirectoryStream(directory, START_MARKS)) {
      for (Path mark : marks) {
        if (!isNewer(mark, LONGEST_START, now)) {
          Files.deleteIfExists(mark);
        }
      }
    } catch (DirectoryIteratorException failed) {
      throw failed.getCause();
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(cache())) {
      for (Path entry : entries) {
        String name = nameOf(entry);
        if (name.startsWith(OLD_PREFIX)) {
          delete(entry);
        } else if (ID.matcher(name).matches() && !entry.equals(directory) && isRuntime(entry)) {
          removeUnlessUsed(entry, now);
        }
      }
    } catch (DirectoryIteratorException failed) {
      throw failed.getCause();
    }
  }

  private static boolean isRuntime(Path entry) {
    return Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)
        && Files.isRegularFile(entry.resolve(LIST), LinkOption.NOFOLLOW_LINKS)
        && Files.exists(entry.resolve("bin/java"));
  }

  private void removeUnlessUsed(Path other, long now) throws IOException {
    Path old = cache().resolve(OLD_PREFIX + nameOf(other));
    Path removed = cache().resolve(REMOVED_PREFIX + nameOf(other));
    try (FileChannel list = openList(other, StandardOpenOption.READ, StandardOpenOption.WRITE);
        FileLock lock = list.tryLock()) {
      if (lock == null
          || isStarting(other, now)
          || (Files.exists(removed) && isNewer(other, KEPT_AFTER_RETURN, now))
          || isRunning(other)) {
        return;
      }
      // Under another name it cannot be taken for a complete runtime while it is deleted.
      Files.move(other, old, StandardCopyOption.ATOMIC_MOVE);
      if (isStarting(old, now)) {
        Files.move(old, other, StandardCopyOption.ATOMIC_MOVE);
        return;
      }
    }
    try {
      Files.createFile(removed);
    } catch (FileAlreadyExistsException again) {
      // It came back, and was not used for a long time.
    }
    delete(old);
  }

  private static boolean isStarting(Path runtime, long now) throws IOException {
    try (DirectoryStream<Path> marks = Files.newDirectoryStream(runtime, START_MARKS)) {
      for (Path mark : marks) {
        if (isNewer(mark, LONGEST_START, now)) {
          return true;
        }
      }
      return false;
    }
  }

  private static boolean isNewer(Path file, Duration age, long now) throws IOException {
    try {
      return now - Files.getLastModifiedTime(file).toMillis() < age.toMillis();
    } catch (NoSuchFileException gone) {
      return false;
    }
  }

  /// Whether a process that this one can see runs from `runtime`. Processes of earlier versions
  /// hold no lock.
  private static boolean isRunning(Path runtime) throws IOException {
    String inside = runtime.toRealPath() + "/";
    return ProcessHandle.allProcesses()
        .anyMatch(process -> process.info().command().orElse("").startsWith(inside));
  }

  /// Deletes a file or a whole directory. Links are not followed.
  private static void delete(Path entry) throws IOException {
    if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
      try (DirectoryStream<Path> children = Files.newDirectoryStream(entry)) {
        for (Path child : children) {
          delete(child);
        }
      }
    }
    Files.deleteIfExists(entry);
  }

  private Path cache() {
    return Objects.requireNonNull(directory.getParent());
  }

  private static String nameOf(Path entry) {
    return String.valueOf(entry.getFileName());
  }

  /// Releases the lock, and deletes the mark if it stayed.
  @Override
  public void close() throws IOException {
    Files.deleteIfExists(startMark);
    if (lockedList != null) {
      lockedList.close();
    }
  }
}
