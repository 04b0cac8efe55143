package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/// The floor of a snapshot, of a restore from one and of a drill: copies of the same files, on
/// stable storage; and a read of all records of a database.
final class FileCopyFloor {
  private static final int COLUMNS = 9;

  private FileCopyFloor() {}

  /// Copies files into a directory, and deletes the copies.
  ///
  /// @return the time of the copying, in seconds
  static double copy(List<Path> files, Path directory) throws IOException {
    long nanos = 0;
    for (Path file : files) {
      Path copy = directory.resolve(file.getFileName());
      long start = System.nanoTime();
      Path _ = Files.copy(file, copy);
      try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
        channel.force(true);
      }
      nanos += System.nanoTime() - start;
      Files.delete(copy);
    }
    return nanos / 1e9;
  }

  /// Reads all records of a `canonical.db`.
  ///
  /// @return the time, in seconds
  static double read(Path database) throws SQLException {
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:file:" + database + "?mode=ro");
        Statement statement = connection.createStatement()) {
      long start = System.nanoTime();
      long bytes = 0;
      try (ResultSet row = statement.executeQuery("SELECT * FROM events")) {
        while (row.next()) {
          for (int column = 1; column <= COLUMNS; column++) {
            bytes += row.getBytes(column).length;
          }
        }
      }
      if (bytes == 0) {
        throw new IllegalStateException(database + " has no records");
      }
      return (System.nanoTime() - start) / 1e9;
    }
  }

  static long bytes(List<Path> files) throws IOException {
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    return bytes;
  }
}
