package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.FileIdentity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The identities of the files that SQLite has open for a buffer, and of their directory. SQLite
/// goes on writing to an open file that has lost its name, and no later process would find what it
/// writes there. Immutable.
///
/// @param file the name of the database
/// @param directory the identity of the directory
/// @param database the identity of the database
/// @param wal the identity of its write-ahead log
/// @param shm the identity of the log's index
record OpenFiles(
    Path file,
    @Nullable Object directory,
    @Nullable Object database,
    @Nullable Object wal,
    @Nullable Object shm) {
  /// What the names of `file` and of its companions lead to now. SQLite has opened them.
  static OpenFiles of(Path file) throws IOException {
    return new OpenFiles(
        file,
        FileIdentity.of(Objects.requireNonNull(file.toAbsolutePath().getParent())),
        FileIdentity.of(file),
        FileIdentity.of(DirectoryLayout.wal(file)),
        FileIdentity.of(DirectoryLayout.beside(file, DirectoryLayout.SHM_SUFFIX)));
  }

  /// The names that do not lead to the open files any more.
  ///
  /// @return empty while all of them do
  List<String> lost() throws IOException {
    OpenFiles now = of(file);
    return List.of(
            lost(file, database, now.database),
            lost(DirectoryLayout.wal(file), wal, now.wal),
            lost(DirectoryLayout.beside(file, DirectoryLayout.SHM_SUFFIX), shm, now.shm))
        .stream()
        .filter(name -> !name.isEmpty())
        .toList();
  }

  private static String lost(Path name, @Nullable Object open, @Nullable Object now) {
    return open != null && open.equals(now) ? "" : String.valueOf(name.getFileName());
  }
}
