package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogContract;
import com.datanadhi.hub.log.MemoryDirectory;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;

final class SegmentLogContractTest extends LogContract {
  @TempDir(factory = MemoryDirectory.class)
  @SuppressWarnings("NullAway.Init")
  Path directory;

  private int kills;

  /// Goes on with a copy of the files as they are while the old log is open.
  @Override
  protected Log kill(Log old, long waitingBytes) throws Exception {
    Path from = directory.resolve("log-" + kills++);
    Path to = directory.resolve("log-" + kills);
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        if (Files.isDirectory(file)) {
          Files.createDirectories(to.resolve(from.relativize(file)));
        } else if (!file.toString().endsWith(".new")) {
          Files.copy(file, to.resolve(from.relativize(file)));
        }
      }
    }
    old.close();
    return open(waitingBytes);
  }

  @Override
  protected Log open(long waitingBytes) throws IOException {
    return SegmentLog.open(
        directory.resolve("log-" + kills),
        new SegmentSettings(64 * 1024, 64 * 1024, Duration.ofMinutes(10), waitingBytes),
        Clock.system());
  }
}
