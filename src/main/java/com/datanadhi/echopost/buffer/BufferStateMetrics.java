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

/// What stands in the buffer and how much room there is, as metrics: with and without an agent.
///
/// @param totals the ledger
/// @param oldest when the oldest pending record came, UTC, milliseconds since 1970; null when none
///   is pending
record BufferStateMetrics(Totals totals, @Nullable Long oldest) {
  static final String SHORTAGE = "echopost_disk_shortage_bytes";
  static final String SHORTAGE_HELP =
      "How much must become free before records are taken again; 0 while they are.";
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
        "Age of the oldest pending record; 0 when none is pending.",
        oldest == null ? 0 : Math.max(0, nowMillis - oldest) / MILLIS);
    out.gauge(
        "echopost_buffer_size_bytes",
        "What the buffer and its write-ahead log take on the disk.",
        size(file) + size(DirectoryLayout.wal(file)));
    out.gauge(
        "echopost_disk_free_bytes",
        "Room on the buffer's file system for this user.",
        room(volume));
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException none) {
      return 0;
    }
  }

  private static double room(Volume volume) {
    try {
      return volume.usable();
    } catch (IOException unknown) {
      Events.warning(EventNames.DISK_ROOM_UNKNOWN, "reason", unknown.toString());
      return Double.NaN;
    }
  }
}
