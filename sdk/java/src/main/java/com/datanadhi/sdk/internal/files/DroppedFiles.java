package com.datanadhi.sdk.internal.files;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
  private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(5);
  private static final long APPEND_WINDOW_MILLIS = 10_000;
  private static final long MAX_FILE_BYTES = 1 << 20;

  /** The reason of records that the main server has rejected for good. */
  public static final String REJECTED = "primary_failed";

  private static final String SUFFIX = ".jsonl";
  private static final String CLAIMED_SUFFIX = ".redelivering";
  private static final Pattern NAME =
      Pattern.compile(".+_(?<digits>\\d{1,18})\\.jsonl(\\.redelivering)?");

  /** Other SDKs write a file at once; this is long enough for a slow disk. */
  private static final long FOREIGN_WRITER_MILLIS = 60_000;

  private final Path directory;
  private final long maxBytes;
  private final SpaceForOthers spaceForOthers;
  private final Clock clock;
  private final InterProcessLock writeLock;
  private final InterProcessLock redeliveryLock;
  private final Map<String, CurrentFile> currentFiles = new HashMap<>();

  /** How much free space of a file system others need. */
  public interface SpaceForOthers {
    /** In bytes, on the file system of {@code directory}; 0 if that cannot be known. */
    long bytes(Path directory);
  }

  /**
   * The files below {@code sdkDirectory}; {@code dropped/} is created by the first write.
   *
   * @param maxBytes the size of all files at which no further one is begun
   */
  public DroppedFiles(
      Path sdkDirectory, long maxBytes, SpaceForOthers spaceForOthers, Clock clock, Waiter waiter) {
    this.directory = sdkDirectory.resolve("dropped");
    this.maxBytes = maxBytes;
    this.spaceForOthers = spaceForOthers;
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
    byte[] bytes = lines.getBytes(StandardCharsets.UTF_8);
    return withWriteLock(() -> {
      leaveSpaceForOthers(bytes.length);
      return append(reason, bytes);
    });
  }

  private void leaveSpaceForOthers(long written) throws IOException {
    long needed = spaceForOthers.bytes(directory);
    // Not by a FileStore: in a chroot and in some containers, none can be found.
    if (needed > 0 && directory.toFile().getUsableSpace() - written < needed) {
      throw new IOException(
          "EchoPost needs the last %,d bytes of the disk to deliver its records".formatted(needed));
    }
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
    long used = 0;
    for (Path file : files()) {
      used += sizeOf(file);
    }
    if (used >= maxBytes) {
      throw new IOException(
          "the files in %s have reached dropped.max_bytes (%,d)".formatted(directory, maxBytes));
    }
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

  /** The directory of the files, which need not exist. */
  public Path directory() {
    return directory;
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
   * A pass over the files that are there now, oldest first.
   *
   * @param rejected whether the files with records that the main server has rejected are included
   */
  public RedeliveryPass pass(boolean rejected) throws IOException {
    return new RedeliveryPass(
        this,
        files().stream()
            .filter(file -> rejected || !file.getFileName().toString().startsWith(REJECTED + "_"))
            .toList());
  }

  /**
   * Deletes the files to which nothing was written for {@code maxAge}, unless another process
   * redelivers. The time in a name does not count: other SDKs and people give other names.
   */
  public Expired deleteOlderThan(Duration maxAge) throws IOException, InterruptedException {
    long oldest = clock.millis() - maxAge.toMillis();
    if (files().stream().noneMatch(file -> writtenAt(file) < oldest)) {
      return Expired.NONE;
    }
    return withRedeliveryLock(
            () -> {
              long records = 0;
              List<IOException> failures = new ArrayList<>();
              for (Path file : files()) {
                try {
                  if (writtenAt(file) < oldest) {
                    long lines = DroppedLines.count(file);
                    Files.delete(file);
                    records += lines;
                  }
                } catch (IOException failed) {
                  failures.add(new RedeliveryPass.FileFailedException(file, failed));
                }
              }
              return new Expired(records, failures);
            })
        .orElse(Expired.NONE);
  }

  /**
   * What {@link #deleteOlderThan} has done.
   *
   * @param records that were in the deleted files
   * @param failures of files that could not be deleted
   */
  public record Expired(long records, List<IOException> failures) {
    static final Expired NONE = new Expired(0, List.of());
  }

  /** Runs the action unless another process redelivers: then the result is empty. */
  <T> Optional<T> withRedeliveryLock(Callable<T> action) throws IOException, InterruptedException {
    if (!Files.isDirectory(directory)) {
      return Optional.empty();
    }
    try {
      return Optional.of(redeliveryLock.withLock(Duration.ZERO, action));
    } catch (TimeoutException otherRuns) {
      return Optional.empty();
    } catch (InterProcessLock.ActionFailedException failed) {
      throw new IOException(failed);
    }
  }

  /**
   * Renames a file, so that no writer appends to it; one that a killed process had renamed has its
   * new name already.
   *
   * @return empty if it does not exist any more, or another SDK may still write to it
   */
  Optional<Path> claim(Path file) throws IOException, InterruptedException {
    if (isClaimed(file)) {
      return Optional.of(file).filter(Files::exists);
    }
    return withWriteLock(() -> {
      Path claimed = file.resolveSibling(file.getFileName() + CLAIMED_SUFFIX);
      // With a clock that was set back, a file can get the name of one that is claimed.
      if (!Files.exists(file) || Files.exists(claimed) || isBeingWritten(file)) {
        return Optional.empty();
      }
      Files.move(file, claimed, StandardCopyOption.ATOMIC_MOVE);
      return Optional.of(claimed);
    });
  }

  /**
   * Whether another SDK may write to the file, which takes no lock for that: if it was renamed and
   * deleted meanwhile, what is written later would be lost. Files of this SDK are only written
   * under the write lock, which the caller has.
   */
  private boolean isBeingWritten(Path file) throws IOException {
    return Math.abs(clock.millis() - writtenAt(file)) < FOREIGN_WRITER_MILLIS
        && !DroppedLines.isOfThisSdk(file);
  }

  /** Removes the lines that are marked as delivered, if there is space for a copy. */
  void removeDelivered(Path claimed) throws IOException {
    Path rest = directory.resolve(".rest");
    Files.deleteIfExists(rest);
    try {
      DroppedLines.copyUndelivered(claimed, rest);
    } catch (IOException noSpace) {
      // The marks are enough.
      Files.deleteIfExists(rest);
      return;
    }
    Files.move(rest, claimed, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Gives a claimed file its name back. */
  void release(Path claimed) throws IOException, InterruptedException {
    String name = claimed.getFileName().toString();
    Path released = directory.resolve(name.substring(0, name.length() - CLAIMED_SUFFIX.length()));
    boolean unused =
        withWriteLock(() -> {
          if (Files.exists(released)) {
            return false;
          }
          Files.move(claimed, released, StandardCopyOption.ATOMIC_MOVE);
          return true;
        });
  }

  private static boolean isClaimed(Path file) {
    return file.toString().endsWith(CLAIMED_SUFFIX);
  }

  private List<Path> files() throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(directory)) {
      return all.filter(DroppedFiles::isDroppedFile)
          .map(file -> new Dated(file, begunAt(file)))
          .sorted(Comparator.comparingLong(Dated::millis).thenComparing(Dated::file))
          .map(Dated::file)
          .toList();
    }
  }

  private static long sizeOf(Path file) throws IOException {
    try {
      return Files.size(file);
    } catch (NoSuchFileException redelivered) {
      return 0;
    }
  }

  private static boolean isDroppedFile(Path file) {
    return NAME.matcher(file.getFileName().toString()).matches() && Files.isRegularFile(file);
  }

  /** By the name, if the digits in it can be a time in milliseconds of the years 2001 to 2286. */
  private static long begunAt(Path file) {
    Matcher name = NAME.matcher(file.getFileName().toString());
    return name.matches() && name.group("digits").length() == 13
        ? Long.parseLong(name.group("digits"))
        : writtenAt(file);
  }

  /** When something was last written; redelivery does not change that. */
  private static long writtenAt(Path file) {
    return file.toFile().lastModified();
  }

  private record Dated(Path file, long millis) {}

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
