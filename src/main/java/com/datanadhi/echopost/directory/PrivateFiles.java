package com.datanadhi.echopost.directory;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// Creates files that are private to the user from their first moment, and makes their names
/// durable.
public final class PrivateFiles {
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private static final int CHUNK = 64 << 10;

  private PrivateFiles() {}

  /// Opens `file`, with mode 0600 when this creates it. A symbolic link is not followed.
  public static FileChannel open(Path file, OpenOption... options) throws IOException {
    Set<OpenOption> all = new HashSet<>(List.of(options));
    all.add(LinkOption.NOFOLLOW_LINKS);
    return FileChannel.open(file, all, PRIVATE);
  }

  /// Creates `file` empty and makes its name durable. If it exists, it is made private (mode 0600).
  public static void createIfMissing(Path file) throws IOException {
    try {
      Files.createFile(file, PRIVATE);
      syncDirectoryOf(file);
    } catch (FileAlreadyExistsException there) {
      Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
          .setPermissions(PRIVATE.value());
    }
  }

  /// Writes the bytes of `file` over themselves and syncs them. After a failed fsync the kernel may
  /// mark pages as clean that are not on the disk, and a later fsync does not write them; this
  /// does.
  public static void rewrite(Path file) throws IOException {
    try (FileChannel channel = open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
      for (long at = 0; channel.read(chunk.clear(), at) > 0; ) {
        chunk.flip();
        while (chunk.hasRemaining()) {
          at += channel.write(chunk, at);
        }
      }
      channel.force(false);
    }
  }

  /// Syncs the directory of `file`: without that, a new or renamed name can be lost in a power
  /// loss.
  public static void syncDirectoryOf(Path file) throws IOException {
    sync(Objects.requireNonNull(file.toAbsolutePath().getParent()));
  }

  /// Syncs all parent directories of `directory`: if a name above it is lost, everything below is
  /// lost too.
  public static void syncDirectoriesAbove(Path directory) throws IOException {
    Path above = directory.toAbsolutePath().normalize().getParent();
    // A parent that this user cannot read was not created by this run.
    for (; above != null && Files.isReadable(above); above = above.getParent()) {
      sync(above);
    }
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
