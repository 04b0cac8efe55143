package com.datanadhi.hub.hub;

import com.datanadhi.hub.admin.AdminServer;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// The lock of the process that owns a data directory: an OS lock on `hub.lock`, which the kernel
/// frees when its holder exits or dies. The file stays; it contains the process id of the last
/// owner, for people. A network file system may not exclude the processes of other machines.
public final class DataDirectoryLock implements AutoCloseable {
  /// The file's name in the data directory.
  public static final String NAME = "hub.lock";

  private static final long RETRY_NANOS = Duration.ofMillis(10).toNanos();
  private static final Duration KEEP_PATIENCE = Duration.ofMillis(200);

  private final Path file;
  private Locked locked;

  private DataDirectoryLock(Path file, Locked locked) {
    this.file = file;
    this.locked = locked;
  }

  /// @param fileKey which file it is
  private record Locked(FileChannel channel, Object fileKey) {}

  /// Whether this user could take the lock of a directory that nobody owns: not on a read-only file
  /// system, and not in another user's directory.
  public static boolean canBeTaken(Path dataDirectory) {
    Path file = dataDirectory.resolve(NAME);
    return Files.isWritable(dataDirectory) && (!Files.exists(file) || Files.isWritable(file));
  }

  /// Takes the lock.
  ///
  /// @param patience how long to wait for its holder to end
  /// @throws OwnedException another process holds it
  /// @throws IOException the lock file cannot be opened or locked
  public static DataDirectoryLock take(Path dataDirectory, Duration patience)
      throws OwnedException, IOException, InterruptedException {
    Path file = dataDirectory.resolve(NAME);
    long deadline = Clock.system().nanoTime() + patience.toNanos();
    while (true) {
      // Somebody may have deleted the file that the owner has locked: a second hub would seal the
      // segment that the first one appends to, and lose what is acknowledged. Asked before, too: a
      // lock that is tried in vain must not keep the owner from making the file again.
      Locked locked = AdminServer.isServed(dataDirectory) ? null : tryLock(file);
      if (locked != null) {
        if (!AdminServer.isServed(dataDirectory)) {
          return new DataDirectoryLock(file, locked);
        }
        locked.channel().close();
      }
      if (Clock.system().nanoTime() - deadline >= 0) {
        throw new OwnedException(dataDirectory, ownerIn(file));
      }
      LockSupport.parkNanos(RETRY_NANOS);
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
  }

  /// Makes sure that no other process can take the directory, although somebody may have deleted
  /// the file.
  ///
  /// @return false if another process has taken it
  /// @throws IOException the file cannot be made or locked again now
  public synchronized boolean keep() throws IOException {
    if (locked.fileKey().equals(keyOf(file))) {
      return true;
    }
    Locked again = tryLock(file);
    long deadline = Clock.system().nanoTime() + KEEP_PATIENCE.toNanos();
    while (again == null && Clock.system().nanoTime() - deadline < 0) {
      // A process that is going to be refused can hold it for a moment.
      LockSupport.parkNanos(RETRY_NANOS);
      again = tryLock(file);
    }
    if (again == null) {
      return false;
    }
    locked.channel().close();
    locked = again;
    Events.warning("lock_restored", "file", file);
    return true;
  }

  /// @return null if another process holds it
  private static @Nullable Locked tryLock(Path file) throws IOException {
    while (true) {
      FileChannel channel =
          FileChannel.open(
              file,
              Set.of(
                  StandardOpenOption.CREATE,
                  StandardOpenOption.READ,
                  StandardOpenOption.WRITE,
                  LinkOption.NOFOLLOW_LINKS),
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      boolean taken = false;
      try {
        Object opened = keyOf(file);
        // Taken by this process already: the JVM says so by an exception.
        if (channel.tryLock() == null) {
          return null;
        }
        // If the file was deleted or replaced meanwhile, its lock would exclude nobody.
        if (opened != null && opened.equals(keyOf(file))) {
          writeOwner(channel);
          taken = true;
          return new Locked(channel, opened);
        }
      } catch (OverlappingFileLockException ownProcess) {
        return null;
      } finally {
        if (!taken) {
          channel.close();
        }
      }
    }
  }

  /// The lock is held also if the disk is full: then the file names no process.
  private static void writeOwner(FileChannel channel) throws IOException {
    channel.truncate(0);
    byte[] owner = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
    try {
      int _ = channel.write(ByteBuffer.wrap(owner), 0);
    } catch (IOException full) {
      channel.truncate(0);
    }
  }

  private static @Nullable Object keyOf(Path file) throws IOException {
    try {
      return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
          .fileKey();
    } catch (NoSuchFileException deleted) {
      return null;
    }
  }

  private static String ownerIn(Path file) throws IOException {
    try {
      return Files.readString(file, StandardCharsets.US_ASCII).strip();
    } catch (NoSuchFileException deleted) {
      return "";
    }
  }

  @Override
  public synchronized void close() throws IOException {
    locked.channel().close();
  }

  /// Another process owns the data directory: exit status 3.
  public static final class OwnedException extends Exception {
    private static final long serialVersionUID = 1;

    OwnedException(Path dataDirectory, String pid) {
      super(
          (pid.isEmpty() ? "another process" : "process " + pid)
              + " owns "
              + dataDirectory
              + ": use its hub, or stop it first");
    }
  }
}
