package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.FileIdentity;
import com.datanadhi.echopost.directory.OpenFileLinks;
import com.datanadhi.echopost.directory.PrivateFiles;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Puts an open buffer, whose files were deleted or replaced by another process, back under its
/// name: as a copy of the whole database, made durable under another name and then renamed.
///
/// The copy has the same pages as the open database with its log. So a log that is still there when
/// the process dies right after the rename changes nothing when the next one reads it.
final class BufferRestore {
  private final Path file;
  private final Path directory;
  private final OpenFiles open;
  private @Nullable Object ownCopy;

  /// @param open the files of the open buffer
  /// @param earlier the identity of the copy that was put back before and could not be opened; null
  ///   if there is none
  BufferRestore(OpenFiles open, @Nullable Object earlier) {
    this.ownCopy = earlier;
    this.file = open.file();
    this.directory = Objects.requireNonNull(file.toAbsolutePath().getParent());
    this.open = open;
  }

  /// Why the buffer should not be put back; null when it should.
  @Nullable String impossible(Totals totals) throws IOException {
    if (Objects.equals(open.directory(), FileIdentity.of(directory))) {
      return null;
    }
    if (OpenFileLinks.wasMoved(file)) {
      return directory
          + " was renamed while the agent ran: its files have all records; move it back, or start"
          + " an agent on its new name";
    }
    if (!Files.isDirectory(directory) && totals.pending() == 0 && totals.rejected() == 0) {
      return directory + " was deleted while the agent ran; no record was pending or rejected";
    }
    return null;
  }

  /// Copies the buffer of `writer` to its name; when this returns, the copy and its name are on
  /// stable storage. The connections to the old file stay open. They are to be closed afterwards:
  /// SQLite then changes no file, since the name leads to another one.
  ///
  /// @param progress called after each step of the copy
  /// @return the name of the file that had taken the place of the buffer and was set aside, without
  ///   its directory; null when there was none
  @Nullable Path copyBack(BufferWriter writer, Instant now, Runnable progress)
      throws StorageException, IOException {
    if (!Files.isDirectory(directory)) {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      PrivateFiles.syncDirectoriesAbove(directory);
    }
    Path copy = copy(writer, progress);
    try {
      Path setAside = setAside(now);
      ownCopy = FileIdentity.of(copy);
      Files.move(copy, file, StandardCopyOption.ATOMIC_MOVE);
      PrivateFiles.syncDirectoryOf(file);
      Files.deleteIfExists(DirectoryLayout.wal(file));
      Files.deleteIfExists(DirectoryLayout.beside(file, DirectoryLayout.SHM_SUFFIX));
      PrivateFiles.syncDirectoryOf(file);
      return setAside;
    } catch (IOException failed) {
      deleteCopy(copy);
      throw failed;
    }
  }

  /// The identity of the last copy that was put back; null if there is none.
  @Nullable Object ownCopy() {
    return ownCopy;
  }

  /// Copies the buffer of `writer` to a name beside that of the buffer, which is another agent's.
  ///
  /// @return the name
  Path copyAside(BufferWriter writer, Instant now, Runnable progress)
      throws StorageException, IOException {
    Path aside = SetAsideName.of(file, DirectoryLayout.REPLACED_INFIX, now);
    Files.move(copy(writer, progress), aside, StandardCopyOption.ATOMIC_MOVE);
    PrivateFiles.syncDirectoryOf(aside);
    return aside;
  }

  private Path copy(BufferWriter writer, Runnable progress) throws StorageException, IOException {
    Path copy = file.resolveSibling(DirectoryLayout.BUFFER_COPY);
    deleteCopy(copy);
    try {
      PrivateFiles.createIfMissing(copy);
      writer.copyTo(copy, progress);
      try (var written = PrivateFiles.open(copy, StandardOpenOption.WRITE)) {
        written.force(true);
      }
      return copy;
    } catch (StorageException | IOException failed) {
      // It may have taken the last free space.
      deleteCopy(copy);
      throw failed;
    }
  }

  private static void deleteCopy(Path copy) throws IOException {
    Files.deleteIfExists(copy);
    Files.deleteIfExists(DirectoryLayout.beside(copy, DirectoryLayout.JOURNAL_SUFFIX));
  }

  /// Keeps a database that somebody put in the place of the open one, with its log: it may have
  /// records of its own.
  private @Nullable Path setAside(Instant now) throws IOException {
    Object there = FileIdentity.of(file);
    if (there == null || there.equals(open.database()) || there.equals(ownCopy) || isEmpty(file)) {
      return null;
    }
    Path aside = SetAsideName.of(file, DirectoryLayout.REPLACED_INFIX, now);
    try {
      // A link, so that the name of the buffer always leads to a database.
      Files.createLink(aside, file);
    } catch (FileSystemException | UnsupportedOperationException noLinks) {
      Files.move(file, aside, StandardCopyOption.ATOMIC_MOVE);
    }
    Path wal = DirectoryLayout.wal(file);
    Object walThere = FileIdentity.of(wal);
    if (walThere != null && !walThere.equals(open.wal())) {
      Files.move(wal, DirectoryLayout.wal(aside), StandardCopyOption.ATOMIC_MOVE);
    }
    return aside.getFileName();
  }

  private static boolean isEmpty(Path file) throws IOException {
    BasicFileAttributes found =
        Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    return found.isRegularFile() && found.size() == 0;
  }
}
