package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The other processes that hold SQLite's locks on a buffer, as Linux lists them in `/proc/locks`.
/// Elsewhere, and for processes of other containers, they are not known.
///
/// The locks are on bytes of the file `-shm`, in the order of the constants in SQLite's `wal.c`:
/// write, checkpoint and recover, then those of readers.
final class LockHolders {
  private static final Path LOCKS = Path.of("/proc/locks");
  private static final int WRITE_LOCK = 120;
  private static final int FIRST_READ_LOCK = 123;
  private static final int LAST_READ_LOCK = 127;
  private static final int COLUMNS = 8;

  private LockHolders() {}

  /// The processes that write, as `process 42 (sqlite3)`; "another process" if none is known.
  static String writers(Path buffer) {
    return names(buffer, WRITE_LOCK, FIRST_READ_LOCK - 1);
  }

  /// Likewise those that have a transaction open that reads.
  static String readers(Path buffer) {
    return names(buffer, FIRST_READ_LOCK, LAST_READ_LOCK);
  }

  private static String names(Path buffer, int firstByte, int lastByte) {
    List<String> found = new ArrayList<>();
    try {
      Path index = DirectoryLayout.beside(buffer, DirectoryLayout.SHM_SUFFIX);
      String inode = ":" + Files.getAttribute(index, "unix:ino");
      for (String line : Files.readAllLines(LOCKS)) {
        // 1: POSIX  ADVISORY  WRITE 4242 fd:01:131090 120 120
        String[] columns = line.strip().split(" +", -1);
        if (columns.length == COLUMNS
            && columns[5].endsWith(inode)
            && columns[6].matches("\\d+")
            && columns[7].matches("\\d+")
            && Long.parseLong(columns[6]) <= lastByte
            && Long.parseLong(columns[7]) >= firstByte
            && Long.parseLong(columns[4]) > 0
            && Long.parseLong(columns[4]) != ProcessHandle.current().pid()) {
          found.add(name(columns[4]));
        }
      }
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException unknown) {
      // Not on this system: the name is a convenience.
      found.clear();
    }
    return found.isEmpty()
        ? "another process"
        : String.join(", ", found.stream().distinct().toList());
  }

  private static String name(String pid) {
    try {
      return "process "
          + pid
          + " ("
          + Files.readString(Path.of("/proc", pid, "comm"), StandardCharsets.ISO_8859_1).strip()
          + ")";
    } catch (IOException ended) {
      return "process " + pid;
    }
  }
}
