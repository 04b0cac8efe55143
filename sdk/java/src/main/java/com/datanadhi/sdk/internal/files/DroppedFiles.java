package com.datanadhi.sdk.internal.files;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The files in {@code dropped/}, which keep the records that could not be delivered, as JSON Lines
 * in {@code <reason>_<ms>.jsonl}. When a write returns, all its records are on stable storage; when
 * it throws, what it wrote is removed again, if the disk allows that. Records are appended to a
 * file for 10 s or up to 1 MiB, so that a server that rejects everything does not cause one file
 * per record. Thread-safe; locks exclude other processes.
 */
public final class DroppedFiles {
  /** Delivers records from a file. */
  public interface Sender {
    /** Returns the records that could not be delivered. */
    List<OutgoingRecord> send(List<OutgoingRecord> records) throws InterruptedException;
  }

  /**
   * The result of a redelivery.
   *
   * @param delivered records that were delivered
   * @param kept records that are still in files
   * @param unreadable lines that are not records; they stay in files
   */
  public record RedeliveryResult(int delivered, int kept, int unreadable) {}

  private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(5);
  private static final long APPEND_WINDOW_MILLIS = 10_000;
  private static final long MAX_FILE_BYTES = 1 << 20;
  private static final String SUFFIX = ".jsonl";
  private static final String CLAIMED_SUFFIX = ".redelivering";

  private final Path directory;
  private final Clock clock;
  private final InterProcessLock writeLock;
  private final InterProcessLock redeliveryLock;
  private final Map<String, CurrentFile> currentFiles = new HashMap<>();

  /** The files below {@code sdkDirectory}; {@code dropped/} is created by the first write. */
  public DroppedFiles(Path sdkDirectory, Clock clock, Waiter waiter) {
    this.directory = sdkDirectory.resolve("dropped");
    this.clock = clock;
    this.writeLock = new InterProcessLock(directory.resolve(".lock"), clock, waiter);
    this.redeliveryLock = new InterProcessLock(directory.resolve(".redeliver.lock"), clock, waiter);
  }

  /**
   * Writes the records to a file.
   *
   * @param reason lower-case letters and {@code _}; the start of the file's name
   * @return the file
   * @throws IOException if the records cannot be written, or another process holds the lock for 5 s
   */
  public Path write(String reason, List<OutgoingRecord> records)
      throws IOException, InterruptedException {
    String lines =
        records.stream().map(DroppedLine::format).collect(Collectors.joining("\n", "", "\n"));
    PrivateFiles.createDirectories(directory);
    return withWriteLock(() -> append(reason, lines.getBytes(StandardCharsets.UTF_8)));
  }

  private Path append(String reason, byte[] lines) throws IOException {
    long now = clock.millis();
    CurrentFile file = currentFiles.get(reason);
    boolean canAppend =
        file != null
            && now - file.createdAt < APPEND_WINDOW_MILLIS
            && now >= file.createdAt
            && Files.isRegularFile(file.path)
            && Files.size(file.path) < MAX_FILE_BYTES;
    if (file == null || !canAppend) {
      file = create(reason, now);
      currentFiles.put(reason, file);
    }
    // A channel would be closed when this thread is interrupted.
    try (RandomAccessFile out = new RandomAccessFile(file.path.toFile(), "rw")) {
      long before = out.length();
      try {
        out.seek(before);
        writeAndSync(out, lines);
      } catch (IOException failed) {
        undo(out, file.path, before, failed);
        throw failed;
      }
    }
    return file.path;
  }

  private static void writeAndSync(RandomAccessFile out, byte[] lines) throws IOException {
    out.write(lines);
    out.getFD().sync();
  }

  private static void undo(RandomAccessFile out, Path path, long length, IOException failure) {
    try {
      if (length == 0) {
        Files.deleteIfExists(path);
      } else {
        out.setLength(length);
      }
    } catch (IOException undoFailed) {
      failure.addSuppressed(undoFailed);
    }
  }

  private CurrentFile create(String reason, long now) throws IOException {
    for (long ms = now; ; ms++) {
      Path path = directory.resolve(reason + "_" + ms + SUFFIX);
      try {
        Files.createFile(path, PrivateFiles.FILE_ATTRIBUTES);
        return new CurrentFile(path, now);
      } catch (java.nio.file.FileAlreadyExistsException sameMillisecond) {
        // Another process created it; the next name is tried.
      }
    }
  }

  /** Whether there are no files; also true if the directory cannot be read. */
  public boolean isEmpty() {
    try {
      return files().isEmpty();
    } catch (IOException unreadable) {
      return true;
    }
  }

  /**
   * Sends the records in the files, oldest file first, in batches of at most {@code batch}. A file
   * whose records are all delivered is deleted; else it keeps the others.
   *
   * @return empty if another redelivery runs, in this or another process
   */
  public Optional<RedeliveryResult> redeliver(int batch, Sender sender)
      throws IOException, InterruptedException {
    if (!Files.isDirectory(directory)) {
      return Optional.of(new RedeliveryResult(0, 0, 0));
    }
    try {
      return Optional.of(redeliveryLock.withLock(Duration.ZERO, () -> sendAll(batch, sender)));
    } catch (TimeoutException otherRuns) {
      return Optional.empty();
    } catch (InterProcessLock.ActionFailedException failed) {
      throw new IOException(failed);
    }
  }

  private RedeliveryResult sendAll(int batch, Sender sender)
      throws IOException, InterruptedException {
    int delivered = 0;
    int kept = 0;
    int unreadable = 0;
    for (Path file : withWriteLock(this::claimFiles)) {
      List<String> linesToKeep = new ArrayList<>();
      List<OutgoingRecord> records = new ArrayList<>();
      int lineNumber = 0;
      for (String line : Files.readAllLines(file)) {
        String location = file.getFileName() + ":" + lineNumber++;
        Optional<OutgoingRecord> record =
            line.isBlank() ? Optional.empty() : DroppedLine.parse(line, location);
        record.ifPresent(records::add);
        if (record.isEmpty() && !line.isBlank()) {
          linesToKeep.add(line);
          unreadable++;
        }
      }
      for (int from = 0; from < records.size(); from += batch) {
        List<OutgoingRecord> part = records.subList(from, Math.min(records.size(), from + batch));
        List<OutgoingRecord> failed = sender.send(part);
        failed.forEach(record -> linesToKeep.add(DroppedLine.format(record)));
        delivered += part.size() - failed.size();
        kept += failed.size();
      }
      replace(file, linesToKeep);
    }
    return new RedeliveryResult(delivered, kept, unreadable);
  }

  /**
   * Renames the files, so that no writer appends to them. Files that a killed process had renamed
   * are included.
   */
  private List<Path> claimFiles() throws IOException {
    currentFiles.clear();
    List<Path> claimed = new ArrayList<>();
    for (Path file : files()) {
      Path renamed = file;
      if (!file.toString().endsWith(CLAIMED_SUFFIX)) {
        renamed = file.resolveSibling(file.getFileName() + CLAIMED_SUFFIX);
        Files.move(file, renamed, StandardCopyOption.ATOMIC_MOVE);
      }
      claimed.add(renamed);
    }
    return claimed;
  }

  /** Replaces the claimed file with one that has these lines, or deletes it if there are none. */
  private void replace(Path claimed, List<String> lines) throws IOException {
    if (!lines.isEmpty()) {
      String name = claimed.getFileName().toString();
      Path rest = directory.resolve(".rest");
      Files.deleteIfExists(rest);
      Files.createFile(rest, PrivateFiles.FILE_ATTRIBUTES);
      try (RandomAccessFile out = new RandomAccessFile(rest.toFile(), "rw")) {
        writeAndSync(out, (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
      }
      Files.move(
          rest,
          directory.resolve(name.substring(0, name.length() - CLAIMED_SUFFIX.length())),
          StandardCopyOption.ATOMIC_MOVE);
    }
    Files.delete(claimed);
  }

  private List<Path> files() throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(directory)) {
      return all.filter(DroppedFiles::isDroppedFile)
          .sorted(Comparator.comparingLong(DroppedFiles::millis).thenComparing(Path::toString))
          .toList();
    }
  }

  private static boolean isDroppedFile(Path file) {
    return file.getFileName().toString().matches(".+_\\d{1,18}\\.jsonl(\\.redelivering)?");
  }

  private static long millis(Path file) {
    return Long.parseLong(file.getFileName().toString().replaceFirst(".*_(\\d+)\\.jsonl.*", "$1"));
  }

  private <T> T withWriteLock(Callable<T> action) throws IOException, InterruptedException {
    try {
      return writeLock.withLock(LOCK_TIMEOUT, action);
    } catch (TimeoutException lockedTooLong) {
      throw new IOException(lockedTooLong);
    } catch (InterProcessLock.ActionFailedException failed) {
      throw new IOException(failed);
    }
  }

  private record CurrentFile(Path path, long createdAt) {}
}
