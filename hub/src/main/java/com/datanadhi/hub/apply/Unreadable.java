package com.datanadhi.hub.apply;

import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.logging.Events;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// Log records that tell no tenant. Nothing can be parked for them, so the others go on; each is
/// named until an operator skips it, and then kept as a file. The segment that holds it is not
/// deleted before. Thread-safe.
final class Unreadable {
  private final Log log;
  private final String stream;
  private final ApplyDecisions decisions;
  private final Path quarantine;
  private final SortedMap<Long, String> waiting = new TreeMap<>();
  private long quarantined;

  Unreadable(Log log, String stream, ApplyDecisions decisions, Path quarantine) {
    this.log = log;
    this.stream = stream;
    this.decisions = decisions;
    this.quarantine = quarantine;
  }

  synchronized void restore(SortedMap<Long, String> before, long alreadyQuarantined) {
    waiting.putAll(before);
    quarantined = alreadyQuarantined;
  }

  synchronized void add(long offset, String reason) {
    if (waiting.putIfAbsent(offset, reason) == null) {
      Events.severe(
          "log_record_unreadable", null, "stream", stream, "offset", offset, "reason", reason);
    }
  }

  synchronized SortedMap<Long, String> waiting() {
    return new TreeMap<>(waiting);
  }

  synchronized long quarantined() {
    return quarantined;
  }

  /// Quarantines those that were skipped.
  ///
  /// @return whether there was one
  boolean turn() {
    boolean worked = false;
    for (long offset : waiting().keySet()) {
      String reason = decisions.skipReason(stream, offset);
      if (reason == null) {
        continue;
      }
      try {
        keep(offset);
      } catch (IOException | DamagedException failed) {
        Events.warning(
            "quarantine_failed", "stream", stream, "offset", offset, "reason", failed.toString());
        continue;
      }
      synchronized (this) {
        waiting.remove(offset);
        quarantined++;
      }
      Events.info("log_record_quarantined", "stream", stream, "offset", offset, "reason", reason);
      worked = true;
    }
    return worked;
  }

  private void keep(long offset) throws IOException, DamagedException {
    List<LogEntry> entries = log.read(stream, offset, 1, 1);
    if (entries.isEmpty()) {
      throw new IOException("the log does not have it");
    }
    Files.createDirectories(
        quarantine,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Path file =
        quarantine.resolve(
            LogEntry.position(entries.getFirst().epoch(), stream, offset).replace('/', '-')
                + ".record");
    try (FileChannel channel =
        FileChannel.open(
            file,
            Set.of(
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      ByteBuffer rest = ByteBuffer.wrap(entries.getFirst().payload());
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
      channel.force(true);
    }
  }
}
