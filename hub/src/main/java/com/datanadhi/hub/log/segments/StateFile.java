package com.datanadhi.hub.log.segments;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// `DIR/log/state`: what the log was doing when it was last written. Lines of text; the last one is
/// the CRC-32C of all before it. Replaced atomically.
///
/// @param epoch of what is appended
/// @param closed whether the log was closed in order
/// @param weak whether `wal` or `ram` was in force since the log was opened
/// @param ends per stream, an offset that its end had reached on stable storage
/// @param starts per stream, the offset before which retention has deleted all; 0 if it is not
///   named. Null in a file of an earlier version, which did not note it
record StateFile(
    UUID epoch,
    boolean closed,
    boolean weak,
    Map<String, Long> ends,
    @Nullable Map<String, Long> starts) {
  private static final String NAME = "state";
  private static final String FIRST_LINE = "echopost-hub log 1\n";

  StateFile {
    ends = Map.copyOf(ends);
    starts = starts == null ? null : Map.copyOf(starts);
  }

  /// The offset before which retention has deleted all of a stream.
  ///
  /// @param ifUnknown the result if this file does not tell
  long start(String stream, long ifUnknown) {
    return starts == null ? ifUnknown : starts.getOrDefault(stream, 0L);
  }

  /// Null if the file is missing or damaged.
  static @Nullable StateFile read(Path directory) throws IOException {
    String text;
    try {
      text = Files.readString(directory.resolve(NAME), StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException missing) {
      return null;
    }
    int lastLine = text.lastIndexOf("crc ");
    if (lastLine < 0 || !text.equals(withCrc(text.substring(0, lastLine)))) {
      return null;
    }
    UUID epoch = null;
    boolean closed = false;
    boolean weak = true;
    Map<String, Long> ends = new TreeMap<>();
    Map<String, Long> starts = null;
    for (String line : text.lines().toList()) {
      String[] words = line.split(" ", -1);
      switch (words[0]) {
        case "epoch" -> epoch = UUID.fromString(words[1]);
        case "closed" -> closed = words[1].equals("true");
        case "weak" -> weak = words[1].equals("true");
        case "end" -> ends.put(words[1], Long.parseLong(words[2]));
        case "starts" -> starts = new TreeMap<>();
        case "start" -> {
          if (starts != null) {
            starts.put(words[1], Long.parseLong(words[2]));
          }
        }
        default -> {}
      }
    }
    return epoch == null || !text.startsWith(FIRST_LINE)
        ? null
        : new StateFile(epoch, closed, weak, ends, starts);
  }

  /// Durable when it returns.
  void write(Path directory) throws IOException {
    StringBuilder text = new StringBuilder(FIRST_LINE);
    text.append("epoch ").append(epoch).append('\n');
    text.append("closed ").append(closed).append('\n');
    text.append("weak ").append(weak).append('\n');
    new TreeMap<>(ends)
        .forEach((stream, end) -> text.append("end " + stream + " " + end).append('\n'));
    if (starts != null) {
      text.append("starts true\n");
      new TreeMap<>(starts)
          .forEach((stream, start) -> text.append("start " + stream + " " + start).append('\n'));
    }
    DurableFiles.replace(
        directory.resolve(NAME), withCrc(text.toString()).getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String withCrc(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.ISO_8859_1));
    return text + String.format(java.util.Locale.ROOT, "crc %08x%n", crc.getValue());
  }
}
