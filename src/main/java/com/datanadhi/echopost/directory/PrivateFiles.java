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

/// Files that are private to the user from their first moment, and directory entries that survive a
/// power loss.
public final class PrivateFiles {
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private static final int PIECE = 64 << 10;

  private PrivateFiles() {}

  /// Opens `file`, mode 0600 when this creates it; a symbolic link is not followed.
  public static FileChannel open(Path file, OpenOption... options) throws IOException {
    Set<OpenOption> all = new HashSet<>(List.of(options));
    all.add(LinkOption.NOFOLLOW_LINKS);
    return FileChannel.open(file, all, PRIVATE);
  }

  /// Creates `file` empty, unless it exists, and makes its name durable; one that exists is made
  /// private again.
  public static void createIfMissing(Path file) throws IOException {
    try {
      Files.createFile(file, PRIVATE);
      syncDirectoryOf(file);
    } catch (FileAlreadyExistsException there) {
      Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
          .setPermissions(PRIVATE.value());
    }
  }

  /// Writes `file`'s own bytes over themselves and syncs them. An fsync that fails leaves pages
  /// that the system takes for written and that are not on the disk, and no later fsync makes up
  /// for it; this does.
  public static void rewrite(Path file) throws IOException {
    try (FileChannel channel = open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer piece = ByteBuffer.allocateDirect(PIECE);
      for (long at = 0; channel.read(piece.clear(), at) > 0; ) {
        piece.flip();
        while (piece.hasRemaining()) {
          at += channel.write(piece, at);
        }
      }
      channel.force(false);
    }
  }

  /// fsync of the directory that `file` stands in: without it a new or renamed name can be gone
  /// after a power loss.
  public static void syncDirectoryOf(Path file) throws IOException {
    sync(Objects.requireNonNull(file.toAbsolutePath().getParent()));
  }

  /// The same for `directory` itself and for those that it stands in, whoever has made them: a name
  /// above that is gone takes all below with it.
  public static void syncDirectoriesAbove(Path directory) throws IOException {
    Path above = directory.toAbsolutePath().normalize().getParent();
    // One that this user may not read was not made by this user just now either.
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
