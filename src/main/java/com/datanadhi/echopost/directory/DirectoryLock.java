package com.datanadhi.echopost.directory;

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
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The lock that makes one agent the owner of its directory: an OS lock on `agent.lock`, which the
/// kernel frees when its holder dies, however it dies. The file itself stays; it names the owner's
/// process for people.
public final class DirectoryLock implements AutoCloseable {
  /// An agent that is leaving takes a second at most, so a successor waits for it.
  static final Duration PATIENCE = Duration.ofSeconds(5);

  private static final Duration LOOK_AGAIN = Duration.ofMillis(5);

  private final FileChannel channel;
  private final @Nullable IOException ownerWriteFailure;

  private DirectoryLock(FileChannel channel, @Nullable IOException ownerWriteFailure) {
    this.channel = channel;
    this.ownerWriteFailure = ownerWriteFailure;
  }

  /// Takes the lock, as an agent does.
  ///
  /// @return null when another process held it for all of [#PATIENCE]
  public static @Nullable DirectoryLock take(Path file, Clock clock)
      throws IOException, InterruptedException {
    return take(file, clock, PATIENCE);
  }

  /// Takes the lock of `directory` for a moment, as a command does: half a second at most, so that
  /// an agent that is spawned meanwhile still starts in time.
  ///
  /// @return null when another process holds it
  public static @Nullable DirectoryLock tryTake(Path directory, Clock clock)
      throws IOException, InterruptedException {
    return take(DirectoryLayout.lock(directory), clock, Duration.ZERO);
  }

  /// Who holds the lock of `directory` just now. Looking keeps nobody from taking it for longer
  /// than that takes.
  ///
  /// @return null when nobody does; else the process id as the file has it, empty where its holder
  ///   has not written it yet
  public static @Nullable String holder(Path directory) throws IOException {
    Path file = DirectoryLayout.lock(directory);
    try (FileChannel channel =
        FileChannel.open(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
      FileLock taken = channel.tryLock(0, Long.MAX_VALUE, true);
      return taken != null ? null : Files.readString(file, StandardCharsets.US_ASCII).strip();
    } catch (OverlappingFileLockException ownProcess) {
      return Long.toString(ProcessHandle.current().pid());
    } catch (NoSuchFileException never) {
      return null;
    }
  }

  private static @Nullable DirectoryLock take(Path file, Clock clock, Duration patience)
      throws IOException, InterruptedException {
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
      Waiter waiter = new Waiter();
      long deadline = clock.nanos() + patience.toNanos();
      while (channel.tryLock() == null) {
        if (clock.nanos() - deadline >= 0) {
          return null;
        }
        waiter.await(LOOK_AGAIN);
      }
      DirectoryLock lock = new DirectoryLock(channel, name(channel));
      taken = true;
      return lock;
    } finally {
      if (!taken) {
        channel.close();
      }
    }
  }

  /// Writes whose it is. A disk that does not take that may be full, or fail: what that means for
  /// an agent is not the lock's to say, which holds.
  private static @Nullable IOException name(FileChannel channel) {
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

  /// Why the file does not name its owner; null when it does.
  public @Nullable IOException ownerWriteFailure() {
    return ownerWriteFailure;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
