package com.datanadhi.sdk.internal.files;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Makes files and directories that only their owner can read, because they contain log records. On
 * a file system without POSIX permissions they get the default ones.
 */
public final class PrivateFiles {
  private static final boolean POSIX =
      java.nio.file.FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

  /** The attributes of a new file: mode 0600. */
  static final FileAttribute<?>[] FILE_ATTRIBUTES = attributes("rw-------");

  private static final FileAttribute<?>[] DIRECTORY_ATTRIBUTES = attributes("rwx------");

  private PrivateFiles() {}

  /** Makes the directory and its missing parents, with mode 0700; an existing one is unchanged. */
  public static void createDirectories(Path directory) throws IOException {
    Files.createDirectories(directory, DIRECTORY_ATTRIBUTES);
  }

  /** Makes an empty file with mode 0600; an existing one is unchanged. */
  public static void createIfMissing(Path file) throws IOException {
    try {
      Files.createFile(file, FILE_ATTRIBUTES);
    } catch (FileAlreadyExistsException present) {
      // As wanted.
    }
  }

  private static FileAttribute<?>[] attributes(String permissions) {
    return POSIX
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }
}
