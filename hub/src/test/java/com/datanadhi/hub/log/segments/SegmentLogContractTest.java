package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogContract;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.io.TempDir;

final class SegmentLogContractTest extends LogContract {
  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path directory;

  @Override
  protected Log open(long waitingBytes) throws IOException {
    return SegmentLog.open(
        directory.resolve("log"),
        new SegmentSettings(64 * 1024, 64 * 1024, Duration.ofMinutes(10), waitingBytes),
        Clock.system());
  }
}
