package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.files.PrivateFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;

/**
 * A file that all processes share: its time is that of the last look for a newer program, its
 * content says what the server had then. For the holder of the download lock, except {@link
 * #isDue}.
 */
final class UpdateStamp {
  private final Path file;

  UpdateStamp(Path file) {
    this.file = file;
  }

  /** Whether the last look is {@code interval} ago, or lies in the future of a clock set back. */
  boolean isDue(Duration interval) throws IOException {
    try {
      Instant last = Files.getLastModifiedTime(file).toInstant();
      Duration age = Duration.between(last, Instant.now());
      return age.isNegative() || age.compareTo(interval) >= 0;
    } catch (NoSuchFileException neverLooked) {
      return true;
    }
  }

  /** What {@link #write} wrote last; empty if nothing. */
  String read() throws IOException {
    return Files.exists(file) ? Files.readString(file) : "";
  }

  /** Notes that the server has {@code seen}, its checksum or its date, at this time. */
  void write(String seen) throws IOException {
    PrivateFiles.createIfMissing(file);
    Files.writeString(file, seen);
  }

  /** Notes that somebody looks at this time. */
  void touch() throws IOException {
    PrivateFiles.createIfMissing(file);
    Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
  }
}
