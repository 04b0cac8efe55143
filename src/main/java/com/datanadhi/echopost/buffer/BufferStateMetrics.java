package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.DirectoryLayout;
import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.record.Totals;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The metrics of the buffer's contents and of its file system, with and without a running agent.
///
/// @param totals the ledger
/// @param nextReceivedAt when the pending record with the lowest id, which is delivered next, was
///   accepted, UTC, milliseconds since 1970; null when none is pending. A redriven record keeps its
///   time of acceptance under a new id, so this need not be the earliest time
record BufferStateMetrics(Totals totals, @Nullable Long nextReceivedAt) {
  static final String SHORTAGE = "echopost_disk_shortage_bytes";
  static final String SHORTAGE_HELP =
      "Bytes that must become free before records are accepted again; 0 while they are.";
  private static final double MILLIS = 1e3;

  void writeTo(Exposition out, Path file, Volume volume, long nowMillis) {
    out.gauge(
        "echopost_pending_records", "Records that wait for their delivery.", totals.pending());
    out.gauge(
        "echopost_rejected_table_records",
        "Records in the table rejected, which wait for an operator.",
        totals.rejected());
    out.gauge(
        "echopost_lag_seconds",
        "Age of the next record to be delivered; 0 when none is pending.",
        nextReceivedAt == null ? 0 : Math.max(0, nowMillis - nextReceivedAt) / MILLIS);
    out.gauge(
        "echopost_buffer_size_bytes",
        "Size of the buffer and its write-ahead log on the disk.",
        size(file) + size(DirectoryLayout.wal(file)));
    out.gauge(
        "echopost_disk_free_bytes",
        "Bytes that are free for this user on the buffer's file system.",
        freeBytes(volume));
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException none) {
      return 0;
    }
  }

  private static double freeBytes(Volume volume) {
    try {
      return volume.usableBytes();
    } catch (IOException unknown) {
      Events.warning(EventNames.DISK_ROOM_UNKNOWN, "reason", unknown.toString());
      return Double.NaN;
    }
  }
}
