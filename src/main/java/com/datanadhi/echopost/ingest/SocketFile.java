package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.FileIdentity;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Publishes, heals and withdraws the socket's public name.
///
/// The server binds a private name in the same directory. Once it serves, that socket is linked to
/// a temporary name, which is renamed to the public one, so that clients only see a socket that
/// serves, and what had the public name before, a dead agent's socket or anything but a directory,
/// is replaced in one step. Other processes can delete or replace the name at any time; [#heal]
/// restores it. The socket is recognised by device and inode.
///
/// Confined to one thread at a time.
final class SocketFile {
  // None is longer than the public name, so that they fit if that fits (`sun_path`).
  private final Path publicName;
  private final Path privateName;
  private final Path temporaryName;
  private final Set<PosixFilePermission> mode;
  private @Nullable Object published;
  private boolean cannotLink;

  SocketFile(Path directory, Set<PosixFilePermission> mode) {
    this.publicName = directory.resolve(DirectoryLayout.SOCKET);
    this.privateName = directory.resolve(DirectoryLayout.PRIVATE_SOCKET);
    this.temporaryName = directory.resolve(DirectoryLayout.TEMPORARY_SOCKET);
    this.mode = mode;
  }

  /// The name to bind; deletes what a dead agent may have left there.
  Path freshPrivateName() throws IOException {
    Files.deleteIfExists(privateName);
    return privateName;
  }

  /// Gives the bound socket its public name.
  void publish() throws IOException {
    Files.setPosixFilePermissions(privateName, mode);
    Object mine = Objects.requireNonNull(FileIdentity.of(privateName));
    if (!cannotLink) {
      try {
        Files.deleteIfExists(temporaryName);
        Files.createLink(temporaryName, privateName);
        Files.move(temporaryName, publicName, StandardCopyOption.ATOMIC_MOVE);
        // Renaming one link over another of the same file does nothing, and leaves the first.
        Files.deleteIfExists(temporaryName);
        published = mine;
        return;
      } catch (NoSuchFileException gone) {
        throw gone;
      } catch (FileSystemException | UnsupportedOperationException refused) {
        if (Files.isDirectory(publicName, LinkOption.NOFOLLOW_LINKS)) {
          throw new IOException(
              publicName + " is a directory: move it away, the socket goes there", refused);
        }
        cannotLink = true;
        Events.info(EventNames.SOCKET_NOT_LINKABLE, "reason", refused.toString());
      }
    }
    Files.move(privateName, publicName, StandardCopyOption.ATOMIC_MOVE);
    published = mine;
  }

  /// Restores the public name if it does not name this socket any more.
  ///
  /// @return false if this socket cannot be published again, and a new one has to be bound
  boolean heal() throws IOException {
    if (published == null || published.equals(FileIdentity.of(publicName))) {
      return true;
    }
    if (FileIdentity.of(privateName) == null) {
      return false;
    }
    publish();
    reportHealed();
    return true;
  }

  /// Logs that the name was lost and is restored.
  static void reportHealed() {
    Events.warning(
        EventNames.SOCKET_HEALED, "reason", "another process deleted or replaced the socket file");
  }

  /// Deletes the public name, if it still names this socket.
  void withdraw() throws IOException {
    if (published != null && published.equals(FileIdentity.of(publicName))) {
      Files.deleteIfExists(publicName);
    }
    published = null;
  }
}
