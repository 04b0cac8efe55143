package com.datanadhi.hub.apply;

import com.datanadhi.hub.logging.Events;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// The file `DIR/applied-through`. It is replaced as a whole, and its loss costs only time: the
/// whole log is then read again. Thread-safe.
public final class AppliedThroughFile {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final int FORMAT = 1;

  private final Path file;

  public AppliedThroughFile(Path file) {
    this.file = file;
  }

  private record Contents(int format, SortedMap<String, AppliedThrough> streams) {}

  /// What it says of a stream, or null if it says nothing that can be used.
  public synchronized @Nullable AppliedThrough read(String stream) {
    return contents().get(stream);
  }

  /// Replaces what it says of a stream; on stable storage when this returns.
  public synchronized void write(String stream, AppliedThrough value) throws IOException {
    SortedMap<String, AppliedThrough> streams = contents();
    streams.put(stream, value);
    byte[] bytes = JSON.writeValueAsBytes(new Contents(FORMAT, streams));
    Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
    try (FileChannel channel =
        FileChannel.open(
            temporary,
            Set.of(
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      ByteBuffer rest = ByteBuffer.wrap(bytes);
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
      channel.force(true);
    }
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    Path directory = file.toAbsolutePath().getParent();
    if (directory != null) {
      try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }

  private SortedMap<String, AppliedThrough> contents() {
    if (!Files.exists(file)) {
      return new TreeMap<>();
    }
    try {
      Contents contents = JSON.readValue(Files.readAllBytes(file), Contents.class);
      if (contents.format() == FORMAT) {
        return new TreeMap<>(contents.streams());
      }
      Events.warning("applied_through_ignored", "reason", "format " + contents.format());
    } catch (IOException | JacksonException unreadable) {
      Events.warning("applied_through_ignored", "reason", unreadable.toString());
    }
    return new TreeMap<>();
  }
}
