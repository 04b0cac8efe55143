package com.datanadhi.hub.drill;

import com.datanadhi.hub.logging.Events;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.DateTimeException;
import java.time.Instant;

/// `DIR/last-drill`: when a drill succeeded last, as RFC 3339. It can be deleted: the next drill
/// then comes earlier. Thread-safe.
public final class LastDrill {
  private final Path file;
  private volatile long successMillis;

  /// Reads the file.
  public LastDrill(Path file) {
    this.file = file;
    try {
      successMillis = Instant.parse(Files.readString(file).strip()).toEpochMilli();
    } catch (NoSuchFileException none) {
      successMillis = 0;
    } catch (IOException | DateTimeException unreadable) {
      Events.warning("last_drill_unknown", "file", file, "reason", unreadable.toString());
      successMillis = 0;
    }
  }

  /// In milliseconds since 1970, or 0.
  long successMillis() {
    return successMillis;
  }

  synchronized void succeeded(long millis) {
    successMillis = millis;
    Path next = file.resolveSibling(file.getFileName() + ".new");
    try {
      Files.writeString(next, Instant.ofEpochMilli(millis) + "\n");
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failed) {
      Events.warning("last_drill_not_noted", "file", file, "reason", failed.toString());
    }
  }
}
