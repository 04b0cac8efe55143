package com.datanadhi.hub.hub;

import com.datanadhi.hub.logging.Events;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Refuses appends before the disk is full: what is in the log must still be applied to the
/// databases, which takes room too. Thread-safe.
final class DiskRoom {
  private static final long LEAST_BYTES = 16L << 20;

  private final Path directory;
  private final long segmentBytes;
  private final LongSupplier unappliedBytes;
  private volatile @Nullable String problem;

  /// @param unappliedBytes of records that are in the log and not in a database yet
  DiskRoom(Path directory, long segmentBytes, LongSupplier unappliedBytes) {
    this.directory = directory;
    this.segmentBytes = segmentBytes;
    this.unappliedBytes = unappliedBytes;
  }

  /// Why no append is accepted, or null.
  @Nullable String problem() {
    return problem;
  }

  /// Looks at the disk; called often.
  void turn() {
    long needed = Math.max(LEAST_BYTES, 2 * segmentBytes) + 2 * unappliedBytes.getAsLong();
    String now = null;
    IOException cause = null;
    try {
      FileStore store = Files.getFileStore(directory);
      long free = store.getUsableSpace();
      if (free < needed) {
        now =
            "the hub's disk has "
                + (free >> 20)
                + " MiB free, and "
                + (needed >> 20)
                + " MiB are needed to apply what is accepted: make room";
      }
    } catch (IOException unknown) {
      now = "the free space of the hub's disk is unknown";
      cause = unknown;
    }
    String before = problem;
    problem = now;
    if (before == null && now != null) {
      Events.severe("disk_nearly_full", cause, "directory", directory, "reason", now);
    } else if (before != null && now == null) {
      Events.info("disk_room_recovered");
    }
  }
}
