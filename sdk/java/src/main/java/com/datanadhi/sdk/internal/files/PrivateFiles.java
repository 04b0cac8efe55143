package com.datanadhi.sdk.internal.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;

/** Files and directories that only their owner can read: there are log records in them. */
public final class PrivateFiles {
  private static final boolean POSIX =
      java.nio.file.FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

  /** For a file that is made. */
  static final FileAttribute<?>[] FILE = attributes("rw-------");

  private static final FileAttribute<?>[] DIRECTORY = attributes("rwx------");

  private PrivateFiles() {}

  /** Makes it, and those above it, unless it is there. */
  public static void directory(Path directory) throws IOException {
    Files.createDirectories(directory, DIRECTORY);
  }

  private static FileAttribute<?>[] attributes(String permissions) {
    return POSIX
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }
}
