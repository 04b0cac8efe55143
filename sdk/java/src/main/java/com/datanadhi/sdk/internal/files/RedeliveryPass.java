package com.datanadhi.sdk.internal.files;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One pass over dropped files, oldest first, in batches. Each batch is sent and its lines marked
 * under a lock, so that no other process sends it at the same time. A process that is killed leaves
 * all records that it has not marked, under their keys. A file without records is deleted. Not
 * thread-safe.
 */
public final class RedeliveryPass {
  /** Delivers records from a file. */
  public interface Sender {
    /** Sends the records. */
    Outcome send(List<OutgoingRecord> records) throws InterruptedException;
  }

  /**
   * What became of records that were sent; the others stay in their file.
   *
   * @param delivered those that were delivered
   * @param rejected those that the main server has rejected for good
   */
  public record Outcome(List<OutgoingRecord> delivered, List<OutgoingRecord> rejected) {}

  /**
   * What a batch, or a whole pass, has done.
   *
   * @param delivered records that were delivered
   * @param kept records that are still in files
   * @param unreadable lines that are not records; they stay in files
   * @param isLast whether no files are left
   */
  public record Result(int delivered, int kept, int unreadable, boolean isLast) {}

  private final DroppedFiles files;
  private final Deque<Path> left;
  private @Nullable Path current;
  private long offset;
  private boolean keepsLines;
  private boolean hasDelivered;

  RedeliveryPass(DroppedFiles files, List<Path> found) {
    this.files = files;
    this.left = new ArrayDeque<>(found);
  }

  /**
   * Sends the next records.
   *
   * @param maxBytes of the file that are read at once, and those to the end of a line
   * @return empty if another process redelivers
   */
  public Optional<Result> next(int maxRecords, long maxBytes, Sender sender)
      throws IOException, InterruptedException {
    if (current == null && left.isEmpty()) {
      return Optional.of(new Result(0, 0, 0, true));
    }
    return files.withRedeliveryLock(() -> sendNext(maxRecords, maxBytes, sender));
  }

  private Result sendNext(int maxRecords, long maxBytes, Sender sender)
      throws IOException, InterruptedException {
    Path file = currentFile();
    if (file == null) {
      return new Result(0, 0, 0, true);
    }
    DroppedLines.Part part = DroppedLines.read(file, offset, maxRecords, maxBytes);
    List<OutgoingRecord> records = part.lines().stream().map(DroppedLines.Line::record).toList();
    Outcome outcome = records.isEmpty() ? new Outcome(List.of(), List.of()) : sender.send(records);
    Set<OutgoingRecord> gone = new HashSet<>(outcome.delivered());
    gone.addAll(moveRejected(file, outcome.rejected()));
    if (!gone.isEmpty()) {
      DroppedLines.markDelivered(
          file,
          part.lines().stream()
              .filter(line -> gone.contains(line.record()))
              .map(DroppedLines.Line::offset)
              .toList());
    }
    offset = part.end();
    keepsLines |= gone.size() < records.size() || part.unreadable() > 0;
    hasDelivered |= !gone.isEmpty() || part.delivered() > 0;
    if (part.isLast()) {
      finish(file);
    }
    int delivered = outcome.delivered().size();
    return new Result(
        delivered,
        records.size() - delivered,
        part.unreadable(),
        current == null && left.isEmpty());
  }

  private @Nullable Path currentFile() throws IOException, InterruptedException {
    // Another process may have sent the rest of it.
    if (current != null && !Files.exists(current)) {
      current = null;
    }
    while (current == null && !left.isEmpty()) {
      current = files.claim(left.remove()).orElse(null);
      offset = 0;
      keepsLines = false;
      hasDelivered = false;
    }
    return current;
  }

  /** Moves rejected records to the files that are not sent again without being asked. */
  private List<OutgoingRecord> moveRejected(Path from, List<OutgoingRecord> rejected)
      throws InterruptedException {
    if (rejected.isEmpty() || from.getFileName().toString().startsWith(DroppedFiles.REJECTED)) {
      return List.of();
    }
    try {
      Path unused = files.write(DroppedFiles.REJECTED, rejected);
      return rejected;
    } catch (IOException noSpace) {
      // They stay where they are.
      return List.of();
    }
  }

  private void finish(Path file) throws IOException, InterruptedException {
    current = null;
    if (!keepsLines) {
      Files.delete(file);
      return;
    }
    if (hasDelivered) {
      files.removeDelivered(file);
    }
    files.release(file);
  }
}
