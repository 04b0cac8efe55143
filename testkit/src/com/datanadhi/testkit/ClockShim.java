package com.datanadhi.testkit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;

/// The library `clockshim.c`, which shifts a program's wall clock while the program runs.
/// Thread-safe.
public final class ClockShim implements AutoCloseable {
  private final Path file;
  private final FileChannel offsetFile;

  private ClockShim(Path file, FileChannel offsetFile) {
    this.file = file;
    this.offsetFile = offsetFile;
  }

  /// Creates the shim with an offset of zero.
  ///
  /// @param file holds the offset; it is created
  public static ClockShim at(Path file) throws IOException {
    ClockShim clock =
        new ClockShim(
            file, FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
    clock.setOffset(Duration.ZERO);
    return clock;
  }

  /// From now on the program's wall clock shows the true time plus `offset`, in whole seconds.
  public void setOffset(Duration offset) throws IOException {
    ByteBuffer seconds = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
    offsetFile.write(seconds.putLong(0, offset.toSeconds()), 0);
  }

  /// The environment variables that load the shim into a program.
  public Map<String, String> environment() throws IOException, InterruptedException {
    return Map.of(
        "LD_PRELOAD",
        Shims.library("clockshim").toString(),
        "CLOCKSHIM_OFFSET",
        file.toAbsolutePath().toString());
  }

  @Override
  public void close() throws IOException {
    offsetFile.close();
  }
}
