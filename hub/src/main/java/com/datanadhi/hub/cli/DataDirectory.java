package com.datanadhi.hub.cli;

import com.datanadhi.hub.hub.DataDirectoryLock;
import com.datanadhi.hub.restore.RestoredFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Set;

/// Tells data directories of hubs from others, and creates new ones.
final class DataDirectory {
  /// What a directory can contain before its hub has started once.
  private static final Set<String> BEFORE_FIRST_START =
      Set.of(DataDirectoryLock.NAME, HubNotes.NAME + ".new", "lost+found");

  private DataDirectory() {}

  private static boolean isKnown(Path directory) {
    return Files.exists(directory.resolve(HubNotes.NAME))
        || Files.exists(directory.resolve(RestoredFile.NAME))
        || (Files.isDirectory(directory.resolve("log"))
            && Files.isDirectory(directory.resolve("tenants")));
  }

  /// For commands, which create nothing.
  ///
  /// @throws FailedException no hub has ever run there
  static void checkKnown(Path directory) {
    if (Files.isDirectory(directory) && !Files.isExecutable(directory)) {
      throw new FailedException(
          "cannot enter " + directory + ": run the command as the user of the hub, or as root");
    }
    if (!isKnown(directory)) {
      throw new FailedException(
          directory
              + (Files.exists(directory) ? " is no data directory of a hub" : " does not exist")
              + ": name the hub's data directory with --data DIR, or start a new hub with"
              + " echopost-hub serve --data "
              + directory);
    }
  }

  /// For `serve`: creates the directory, only for its own user, if it does not exist.
  ///
  /// @throws UsageException it contains something else than a hub's data, or cannot be created
  static void prepare(Path directory) throws IOException {
    if (Files.exists(directory)) {
      if (!Files.isDirectory(directory)) {
        throw new UsageException("--data: " + directory + " is not a directory");
      }
      if (!isKnown(directory)) {
        checkEmpty(directory);
        // Its creator may have been killed before it could do this.
        syncNames(directory);
      }
      return;
    }
    try {
      create(directory);
    } catch (FileSystemException refused) {
      throw new UsageException(
          "--data: cannot create "
              + directory
              + " ("
              + Failure.reason(refused)
              + "): choose another directory");
    }
    syncNames(directory);
  }

  private static void create(Path directory) throws IOException {
    Path parent = directory.toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Files.createDirectory(
        directory,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  /// Syncs the directories above a new data directory: a name that a power loss takes away takes
  /// all records with it.
  private static void syncNames(Path directory) throws IOException {
    Path above = directory.toAbsolutePath().getParent();
    while (above != null) {
      try (FileChannel channel = FileChannel.open(above, StandardOpenOption.READ)) {
        channel.force(true);
      } catch (AccessDeniedException foreign) {
        // Another user's, who has created it.
        return;
      }
      above = above.getParent();
    }
  }

  private static void checkEmpty(Path directory) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        String name = Objects.requireNonNull(file.getFileName()).toString();
        if (!BEFORE_FIRST_START.contains(name)) {
          throw new UsageException(
              "--data: "
                  + directory
                  + " is not empty, and not a data directory of a hub (it contains "
                  + name
                  + "): choose another directory");
        }
      }
    }
  }
}
