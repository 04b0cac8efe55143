package com.datanadhi.echopost.directory;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The lock of the agent that owns the directory: an OS lock on `agent.lock`, which the kernel
/// frees when its holder exits or dies. The file stays; it contains the process id of the last
/// owner, for people.
///
/// An OS lock belongs to a file and not to its name: when the file is deleted or replaced, another
/// process could lock a new one. So the holder looks after the name ([#keep]), and where `/proc`
/// tells, nobody takes the lock while a process holds that of a file that has lost its name.
///
/// Used by one thread at a time.
public final class DirectoryLock implements AutoCloseable {
  /// The longest wait for another agent that is stopping, which takes at most a second.
  static final Duration LONGEST_WAIT = Duration.ofSeconds(5);

  private static final Duration RETRY = Duration.ofMillis(5);

  private final Path file;
  private FileChannel channel;
  private Object identity;
  private final @Nullable IOException ownerWriteFailure;

  private DirectoryLock(
      Path file, FileChannel channel, Object identity, @Nullable IOException ownerWriteFailure) {
    this.file = file;
    this.channel = channel;
    this.identity = identity;
    this.ownerWriteFailure = ownerWriteFailure;
  }

  /// Takes the lock, as an agent does.
  ///
  /// @return null when another process held it for all of [#LONGEST_WAIT]
  public static @Nullable DirectoryLock take(Path file, Clock clock)
      throws IOException, InterruptedException {
    return take(file, clock, LONGEST_WAIT);
  }

  /// Takes the lock of `directory` without waiting, as a command does. The command holds it for at
  /// most 0.5 s, so that an agent that is spawned meanwhile still starts in time.
  ///
  /// @return null when another process holds it
  public static @Nullable DirectoryLock tryTake(Path directory, Clock clock)
      throws IOException, InterruptedException {
    return take(DirectoryLayout.lock(directory), clock, Duration.ZERO);
  }

  /// The process that holds the lock of `directory` now. This call itself locks the file, shared,
  /// for a moment.
  ///
  /// @return null when none does; otherwise the process id in the file, empty when the holder has
  ///   not written it yet
  public static @Nullable String holder(Path directory) throws IOException {
    Path file = DirectoryLayout.lock(directory);
    try (FileChannel channel =
        FileChannel.open(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
      FileLock taken = channel.tryLock(0, Long.MAX_VALUE, true);
      return taken != null ? null : Files.readString(file, StandardCharsets.US_ASCII).strip();
    } catch (OverlappingFileLockException ownProcess) {
      return Long.toString(ProcessHandle.current().pid());
    } catch (NoSuchFileException neverLocked) {
      return null;
    }
  }

  private static @Nullable DirectoryLock take(Path file, Clock clock, Duration longestWait)
      throws IOException, InterruptedException {
    Waiter waiter = new Waiter();
    long deadline = clock.nanos() + longestWait.toNanos();
    while (true) {
      DirectoryLock lock = tryLock(file);
      if (lock != null) {
        if (OpenFileLinks.holderWithoutName(directoryOf(file)) == null) {
          return lock;
        }
        // An agent whose lock file was deleted takes the lock again when it notices.
        lock.close();
      }
      if (clock.nanos() - deadline >= 0) {
        return null;
      }
      waiter.await(RETRY);
    }
  }

  /// @return null when another process holds the lock
  private static @Nullable DirectoryLock tryLock(Path file) throws IOException {
    while (true) {
      Object before = FileIdentity.of(file);
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
        Object opened = before == null ? FileIdentity.of(file) : before;
        if (channel.tryLock() == null) {
          return null;
        }
        // The file may have been deleted or replaced meanwhile: its lock would exclude nobody.
        if (opened != null && opened.equals(FileIdentity.of(file))) {
          taken = true;
          return new DirectoryLock(file, channel, opened, writeOwner(channel));
        }
      } finally {
        if (!taken) {
          channel.close();
        }
      }
    }
  }

  private static Path directoryOf(Path file) {
    return Objects.requireNonNull(file.toAbsolutePath().getParent());
  }

  /// Takes the lock again if its file has lost its name: then another process could take it. Does
  /// not block.
  ///
  /// @return false when another process holds the lock of the file that has the name now
  public boolean keep() throws IOException {
    if (identity.equals(FileIdentity.of(file))) {
      return true;
    }
    DirectoryLock again = tryLock(file);
    if (again == null) {
      return false;
    }
    channel.close();
    channel = again.channel;
    identity = again.identity;
    Events.warning(
        EventNames.LOCK_RESTORED,
        "reason",
        "another process deleted or replaced " + file.getFileName());
    return true;
  }

  /// Writes the process id. If the disk is full or fails, the lock is held nevertheless; the caller
  /// decides what the failure means.
  private static @Nullable IOException writeOwner(FileChannel channel) {
    try {
      channel.truncate(0);
      ByteBuffer owner =
          ByteBuffer.wrap(
              (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII));
      int _ = channel.write(owner, 0);
      return null;
    } catch (IOException failed) {
      return failed;
    }
  }

  /// The reason why the process id could not be written to the file; null when it was.
  public @Nullable IOException ownerWriteFailure() {
    return ownerWriteFailure;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
