package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.sqlite.SQLiteJDBCLoader;

/// Loads SQLite's native library, and leaves nothing behind.
///
/// The packaged program has it in a file of its own, named by a system property. Elsewhere, as in
/// tests, the driver unpacks it to a temporary file that it deletes when the JVM ends in good
/// order; a process that is killed would leave a megabyte each time. Once loaded, the file is not
/// needed any more.
final class NativeLibrary {
  private static final String UNPACKED = "org.sqlite.lib.path";
  private static final String PLACE = "org.sqlite.tmpdir";

  private static boolean loaded;

  private NativeLibrary() {}

  /// Loads it, if it is not loaded yet.
  static synchronized void load() throws StorageException {
    if (loaded) {
      return;
    }
    try {
      String unpacked = System.getProperty(UNPACKED);
      if (unpacked != null) {
        // The driver looks through the place for its leftovers, however many files are in /tmp.
        System.setProperty(PLACE, unpacked);
        loaded = SQLiteJDBCLoader.initialize();
        return;
      }
      Path place = Files.createTempDirectory("echopost-");
      try {
        System.setProperty(PLACE, place.toString());
        loaded = SQLiteJDBCLoader.initialize();
      } finally {
        delete(place);
      }
    } catch (Exception failed) {
      throw new StorageException(
          "SQLite's library cannot be loaded: see that "
              + System.getProperty("java.io.tmpdir")
              + " has room and lets programs run ("
              + failed
              + ")",
          failed);
    }
  }

  private static void delete(Path place) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(place)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(place);
  }
}
