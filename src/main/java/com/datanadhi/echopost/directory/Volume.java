package com.datanadhi.echopost.directory;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;

/// The file system of the buffer, and the sizes that follow from its size.
///
/// The WAL has a size limit, and a reserve of the same size is kept, because deletes and
/// checkpoints need disk space too: a checkpoint can grow the database by the size of the WAL. On a
/// small volume both are smaller. Thread-safe.
public final class Volume {
  private static final long LARGEST_WAL = 16L << 20;
  private static final long SMALLEST_WAL = 1L << 20;
  private static final int SHARE = 16;

  private final FileStore store;
  private final long walLimit;

  public Volume(Path directory) throws IOException {
    this.store = Files.getFileStore(directory);
    long total = store.getTotalSpace();
    this.walLimit = Math.clamp(total / SHARE, SMALLEST_WAL, LARGEST_WAL);
  }

  /// Whether the device failed (`EIO`).
  public static boolean isDeviceError(IOException failed) {
    return String.valueOf(failed.getMessage()).endsWith("Input/output error");
  }

  /// Whether the process or the machine had no file descriptor left (`EMFILE`, `ENFILE`), which is
  /// no failure of the disk.
  public static boolean isOutOfDescriptors(IOException failed) {
    return String.valueOf(failed.getMessage()).contains("Too many open files");
  }

  /// Whether there was no room for more (`ENOSPC`, `EDQUOT`, `EFBIG`).
  public static boolean isOutOfSpace(IOException failed) {
    String message = String.valueOf(failed.getMessage());
    return message.contains("No space left on device")
        || message.contains("quota exceeded")
        || message.contains("File too large");
  }

  /// The size limit of the WAL, in bytes.
  public long walLimit() {
    return walLimit;
  }

  /// The free space for this user, in bytes.
  public long usableBytes() throws IOException {
    return store.getUsableSpace();
  }
}
