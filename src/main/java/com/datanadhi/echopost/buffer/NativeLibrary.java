package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.sqlite.SQLiteJDBCLoader;

/// Loads SQLite's native library without leaving temporary files.
///
/// The packaged program has the library in a file, whose directory is in a system property.
/// Elsewhere, as in tests, the driver unpacks it to a temporary file and deletes that at the normal
/// end of the JVM: a killed process would leave a megabyte each time. Here the file is deleted as
/// soon as it is loaded. Thread-safe.
final class NativeLibrary {
  private static final String LIBRARY_DIRECTORY = "org.sqlite.lib.path";
  private static final String UNPACK_DIRECTORY = "org.sqlite.tmpdir";

  private static boolean loaded;

  private NativeLibrary() {}

  /// Loads the library, unless it is loaded.
  static synchronized void load() throws StorageException {
    if (loaded) {
      return;
    }
    try {
      String unpacked = System.getProperty(LIBRARY_DIRECTORY);
      if (unpacked != null) {
        // The driver searches this directory for its old files; /tmp may have very many.
        System.setProperty(UNPACK_DIRECTORY, unpacked);
        loaded = SQLiteJDBCLoader.initialize();
        return;
      }
      Path directory = Files.createTempDirectory("echopost-");
      try {
        System.setProperty(UNPACK_DIRECTORY, directory.toString());
        loaded = SQLiteJDBCLoader.initialize();
      } finally {
        delete(directory);
      }
    } catch (Exception failed) {
      throw new StorageException(
          "SQLite's library cannot be loaded: make sure that "
              + System.getProperty("java.io.tmpdir")
              + " has free space and is not mounted noexec ("
              + failed
              + ")",
          failed);
    }
  }

  private static void delete(Path directory) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }
}
