package com.datanadhi.sdk.internal.files;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
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
   * @param whenMoved is told the file to which the rejected records were moved; once for a record,
   *     and not if it was in such a file before
   */
  public record Outcome(
      List<OutgoingRecord> delivered, List<OutgoingRecord> rejected, Consumer<Path> whenMoved) {
    /** Nobody is told. */
    public Outcome(List<OutgoingRecord> delivered, List<OutgoingRecord> rejected) {
      this(delivered, rejected, file -> {});
    }
  }

  /**
   * What a batch, or a whole pass, has done.
   *
   * @param delivered records that were delivered
   * @param kept records that are still in files
   * @param unreadable lines that are not records; they stay in files
   * @param isLast whether no files are left
   */
  public record Result(int delivered, int kept, int unreadable, boolean isLast) {}

  /** A file that cannot be read or changed: the pass has left it out, and goes on with the next. */
  public static final class FileFailedException extends IOException {
    private static final long serialVersionUID = 1;

    FileFailedException(Path file, IOException cause) {
      super(file + " cannot be read or changed: " + cause, cause);
    }
  }

  private final DroppedFiles files;
  private final Deque<Path> left;
  private @Nullable Path current;
  private long offset;
  private @Nullable Version version;
  private boolean hasDelivered;

  /** Differs when another process has replaced or shortened the file. */
  private record Version(@Nullable Object file, long size) {
    static Version of(Path file) throws IOException {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return new Version(attributes.fileKey(), attributes.size());
    }
  }

  RedeliveryPass(DroppedFiles files, List<Path> found) {
    this.files = files;
    this.left = new ArrayDeque<>(found);
  }

  /**
   * Sends the next records.
   *
   * @param maxBytes of the file that are read at once, and those to the end of a line
   * @return empty if another process redelivers
   * @throws FileFailedException if a file is left out; the next call goes on with the next one
   * @throws IOException if no file can be sent now
   */
  public Optional<Result> next(int maxRecords, long maxBytes, Sender sender)
      throws IOException, InterruptedException {
    if (isDone()) {
      return Optional.of(new Result(0, 0, 0, true));
    }
    return files.withRedeliveryLock(() -> {
      Path file = currentFile();
      if (file == null) {
        return new Result(0, 0, 0, true);
      }
      try {
        return sendNext(file, maxRecords, maxBytes, sender);
      } catch (IOException failed) {
        current = null;
        throw new FileFailedException(file, failed);
      }
    });
  }

  /** Whether no files are left. */
  public boolean isDone() {
    return current == null && left.isEmpty();
  }

  private Result sendNext(Path file, int maxRecords, long maxBytes, Sender sender)
      throws IOException, InterruptedException {
    if (!Files.isWritable(file)) {
      // Its records could not be marked, and would be sent again and again.
      throw new AccessDeniedException(file.toString());
    }
    if (!Version.of(file).equals(version)) {
      offset = 0;
    }
    DroppedLines.Part part = DroppedLines.read(file, offset, maxRecords, maxBytes);
    List<OutgoingRecord> records = part.lines().stream().map(DroppedLines.Line::record).toList();
    Outcome outcome = records.isEmpty() ? new Outcome(List.of(), List.of()) : sender.send(records);
    Set<OutgoingRecord> gone = new HashSet<>(outcome.delivered());
    Optional<Path> moved = moveRejected(file, outcome.rejected());
    if (moved.isPresent()) {
      gone.addAll(outcome.rejected());
    }
    if (!gone.isEmpty()) {
      DroppedLines.markDelivered(
          file,
          part.lines().stream()
              .filter(line -> gone.contains(line.record()))
              .map(DroppedLines.Line::offset)
              .toList());
    }
    moved.ifPresent(outcome.whenMoved());
    offset = part.end();
    version = Version.of(file);
    hasDelivered |= !gone.isEmpty() || part.delivered() > 0;
    if (part.isLast()) {
      finish(file);
    }
    int delivered = outcome.delivered().size();
    return new Result(delivered, records.size() - delivered, part.unreadable(), isDone());
  }

  private @Nullable Path currentFile() throws IOException, InterruptedException {
    // Another process may have sent the rest of it.
    if (current != null && !Files.exists(current)) {
      current = null;
    }
    while (current == null && !left.isEmpty()) {
      Path next = left.remove();
      try {
        current = files.claim(next).orElse(null);
      } catch (IOException failed) {
        throw new FileFailedException(next, failed);
      }
      version = null;
      hasDelivered = false;
    }
    return current;
  }

  /**
   * Moves rejected records to the files that are not sent again without being asked; returns the
   * file, if they were moved.
   */
  private Optional<Path> moveRejected(Path from, List<OutgoingRecord> rejected)
      throws InterruptedException {
    if (rejected.isEmpty() || from.getFileName().toString().startsWith(DroppedFiles.REJECTED)) {
      return Optional.empty();
    }
    try {
      return Optional.of(files.write(DroppedFiles.REJECTED, rejected));
    } catch (IOException noSpace) {
      // They stay where they are.
      return Optional.empty();
    }
  }

  private void finish(Path file) throws IOException, InterruptedException {
    current = null;
    // Counted, because another process can have released it with lines that this pass has not seen.
    if (DroppedLines.count(file) == 0) {
      Files.delete(file);
      return;
    }
    if (hasDelivered) {
      files.removeDelivered(file);
    }
    files.release(file);
  }
}
