package com.datanadhi.sdk.internal.files;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
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
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code dropped/}: what no way would take, as files of lines, {@code <reason>_<ms>.jsonl}. When a
 * write returns, its records are on stable storage, whole; when it throws, none of them is there. A
 * file is added to for a while, so that a server which refuses everything does not get a file for
 * each record. Threads and processes take turns by a lock.
 */
public final class DroppedFiles {
  /** What becomes of a record of a file that is sent again. */
  public interface Sender {
    /** Returns those of {@code entries} that could not be delivered. */
    List<OutgoingRecord> send(List<OutgoingRecord> entries) throws InterruptedException;
  }

  /** How a run through the files ended. */
  public record Outcome(int delivered, int kept, int unreadable) {}

  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final long ADDED_TO_MS = 10_000;
  private static final long LONGEST = 1 << 20;
  private static final String SUFFIX = ".jsonl";
  private static final String CLAIMED = ".redelivering";

  private final Path directory;
  private final Map<String, Current> current = new HashMap<>();

  /** Below the SDK's directory; nothing is made before the first record. */
  public DroppedFiles(Path sdkDirectory) {
    this.directory = sdkDirectory.resolve("dropped");
  }

  /**
   * Keeps the records.
   *
   * @param reason of lower-case letters and {@code _}; the start of the file's name
   * @return the file
   */
  public Path write(String reason, List<OutgoingRecord> entries)
      throws IOException, InterruptedException {
    String lines =
        entries.stream().map(DroppedLine::of).collect(Collectors.joining("\n", "", "\n"));
    PrivateFiles.directory(directory);
    return guarded(".lock", () -> append(reason, lines.getBytes(StandardCharsets.UTF_8)));
  }

  private Path append(String reason, byte[] lines) throws IOException {
    long now = System.currentTimeMillis();
    Current file = current.get(reason);
    boolean fits =
        file != null
            && now - file.since < ADDED_TO_MS
            && now >= file.since
            && Files.isRegularFile(file.path)
            && Files.size(file.path) < LONGEST;
    if (file == null || !fits) {
      file = create(reason, now);
      current.put(reason, file);
    }
    // Not a channel: those close when their thread is interrupted.
    try (RandomAccessFile out = new RandomAccessFile(file.path.toFile(), "rw")) {
      long before = out.length();
      try {
        out.seek(before);
        writeSafely(out, lines);
      } catch (IOException full) {
        undo(out, file.path, before, full);
        throw full;
      }
    }
    return file.path;
  }

  private static void writeSafely(RandomAccessFile out, byte[] lines) throws IOException {
    out.write(lines);
    out.getFD().sync();
  }

  private static void undo(RandomAccessFile out, Path path, long length, IOException why) {
    try {
      if (length == 0) {
        Files.deleteIfExists(path);
      } else {
        out.setLength(length);
      }
    } catch (IOException also) {
      why.addSuppressed(also);
    }
  }

  private Current create(String reason, long now) throws IOException {
    for (long ms = now; ; ms++) {
      Path path = directory.resolve(reason + "_" + ms + SUFFIX);
      try {
        Files.createFile(path, PrivateFiles.FILE);
        return new Current(path, now);
      } catch (java.nio.file.FileAlreadyExistsException taken) {
        // Another process had the same millisecond.
      }
    }
  }

  /** Whether there are files. */
  public boolean isEmpty() {
    try {
      return files().isEmpty();
    } catch (IOException unreadable) {
      return true;
    }
  }

  /**
   * Sends what the files hold, oldest file first, in batches of at most {@code batch}. A file is
   * gone when all its records are; else it holds the rest. Empty when another run is under way.
   */
  public Optional<Outcome> redeliver(int batch, Sender sender)
      throws IOException, InterruptedException {
    if (!Files.isDirectory(directory)) {
      return Optional.of(new Outcome(0, 0, 0));
    }
    try {
      return Optional.of(
          InterProcessLock.guarded(
              directory.resolve(".redeliver.lock"), Duration.ZERO, () -> sendAll(batch, sender)));
    } catch (TimeoutException another) {
      return Optional.empty();
    } catch (InterProcessLock.Failed failed) {
      throw new IOException(failed);
    }
  }

  private Outcome sendAll(int batch, Sender sender) throws IOException, InterruptedException {
    int delivered = 0;
    int kept = 0;
    int unreadable = 0;
    for (Path file : guarded(".lock", this::claim)) {
      List<String> left = new ArrayList<>();
      List<OutgoingRecord> entries = new ArrayList<>();
      int number = 0;
      for (String line : Files.readAllLines(file)) {
        String place = file.getFileName() + ":" + number++;
        Optional<OutgoingRecord> entry =
            line.isBlank() ? Optional.empty() : DroppedLine.parse(line, place);
        entry.ifPresent(entries::add);
        if (entry.isEmpty() && !line.isBlank()) {
          left.add(line);
          unreadable++;
        }
      }
      for (int from = 0; from < entries.size(); from += batch) {
        List<OutgoingRecord> part = entries.subList(from, Math.min(entries.size(), from + batch));
        List<OutgoingRecord> failed = sender.send(part);
        failed.forEach(entry -> left.add(DroppedLine.of(entry)));
        delivered += part.size() - failed.size();
        kept += failed.size();
      }
      finish(file, left);
    }
    return new Outcome(delivered, kept, unreadable);
  }

  /** Takes the files out of the writers' sight, those of a run that died included. */
  private List<Path> claim() throws IOException {
    current.clear();
    List<Path> claimed = new ArrayList<>();
    for (Path file : files()) {
      Path mine = file;
      if (!file.toString().endsWith(CLAIMED)) {
        mine = file.resolveSibling(file.getFileName() + CLAIMED);
        Files.move(file, mine, StandardCopyOption.ATOMIC_MOVE);
      }
      claimed.add(mine);
    }
    return claimed;
  }

  private void finish(Path claimed, List<String> left) throws IOException {
    if (!left.isEmpty()) {
      String name = claimed.getFileName().toString();
      Path rest = directory.resolve(".rest");
      Files.deleteIfExists(rest);
      Files.createFile(rest, PrivateFiles.FILE);
      try (RandomAccessFile out = new RandomAccessFile(rest.toFile(), "rw")) {
        writeSafely(out, (String.join("\n", left) + "\n").getBytes(StandardCharsets.UTF_8));
      }
      Files.move(
          rest,
          directory.resolve(name.substring(0, name.length() - CLAIMED.length())),
          StandardCopyOption.ATOMIC_MOVE);
    }
    Files.delete(claimed);
  }

  private List<Path> files() throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(directory)) {
      return all.filter(DroppedFiles::isOurs)
          .sorted(Comparator.comparingLong(DroppedFiles::time).thenComparing(Path::toString))
          .toList();
    }
  }

  private static boolean isOurs(Path file) {
    return file.getFileName().toString().matches(".+_\\d{1,18}\\.jsonl(\\.redelivering)?");
  }

  private static long time(Path file) {
    return Long.parseLong(file.getFileName().toString().replaceFirst(".*_(\\d+)\\.jsonl.*", "$1"));
  }

  private <T> T guarded(String lock, java.util.concurrent.Callable<T> work)
      throws IOException, InterruptedException {
    try {
      return InterProcessLock.guarded(directory.resolve(lock), PATIENCE, work);
    } catch (TimeoutException held) {
      throw new IOException(held);
    } catch (InterProcessLock.Failed failed) {
      throw new IOException(failed);
    }
  }

  private record Current(Path path, long since) {}
}
