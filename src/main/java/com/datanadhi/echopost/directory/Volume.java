package com.datanadhi.echopost.directory;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/// The file system that the buffer lives on, and the sizes that follow from its own.
///
/// The write-ahead log is bounded, and as much room as the bound is kept in reserve, because
/// deletes and checkpoints need room too: a checkpoint can grow the database by all that the log
/// holds. On a small volume both shrink with it.
public final class Volume {
  private static final long LARGEST_WAL = 16L << 20;
  private static final long SMALLEST_WAL = 1L << 20;
  private static final int SHARE = 16;

  private final FileStore store;
  private final long walBound;

  public Volume(Path directory) throws IOException {
    this.store = Files.getFileStore(directory);
    long total = store.getTotalSpace();
    this.walBound = Math.clamp(total / SHARE, SMALLEST_WAL, LARGEST_WAL);
  }

  /// Whether this is the device's failure (`EIO`), and no lack of room.
  public static boolean isDeviceError(IOException failed) {
    return String.valueOf(failed.getMessage()).endsWith("Input/output error");
  }

  /// Whether this says nothing of the disk: the process, or the machine, has no descriptor left
  /// (`EMFILE`, `ENFILE`).
  public static boolean isOutOfDescriptors(IOException failed) {
    return String.valueOf(failed.getMessage()).contains("Too many open files");
  }

  /// How large the write-ahead log is let grow, in bytes.
  public long walBound() {
    return walBound;
  }

  /// Room for this user, in bytes.
  public long usableBytes() throws IOException {
    return store.getUsableSpace();
  }
}
