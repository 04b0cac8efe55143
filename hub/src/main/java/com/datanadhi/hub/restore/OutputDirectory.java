package com.datanadhi.hub.restore;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;

/// The directory that a restore makes: built under another name beside it, and renamed at the end.
/// What an interrupted restore has left under that name is removed by the next one.
final class OutputDirectory {
  private static final String UNFINISHED = ".unfinished-restore";

  private final Path output;
  private final Path unfinished;

  private OutputDirectory(Path output, Path unfinished) {
    this.output = output;
    this.unfinished = unfinished;
  }

  /// @param output which is empty or does not exist
  /// @throws RestoreException it is not empty
  static OutputDirectory prepare(Path output) throws RestoreException, IOException {
    Path absolute = output.toAbsolutePath().normalize();
    if (Files.exists(absolute)) {
      try (Stream<Path> files = Files.list(absolute)) {
        if (files.findAny().isPresent()) {
          throw new RestoreException(
              absolute + " is not empty: name a directory that is empty or does not exist");
        }
      }
    }
    Path unfinished = absolute.resolveSibling(absolute.getFileName() + UNFINISHED);
    Scratch.delete(unfinished);
    Path parent = absolute.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Files.createDirectory(
        unfinished,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    return new OutputDirectory(absolute, unfinished);
  }

  /// Where to build.
  Path unfinished() {
    return unfinished;
  }

  /// Gives it its name.
  void finish() throws IOException {
    DurableFile.sync(unfinished);
    // Replaces an empty directory in one step.
    Files.move(unfinished, output, StandardCopyOption.ATOMIC_MOVE);
    DurableFile.syncDirectoryOf(output);
  }
}
