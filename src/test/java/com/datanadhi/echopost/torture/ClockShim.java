package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;

/// The library that stands between a program and the wall clock, `src/test/c/clockshim.c`: it makes
/// that clock jump while the program runs. Thread-safe.
final class ClockShim implements AutoCloseable {
  private final Path file;
  private final FileChannel offset;

  private ClockShim(Path file, FileChannel offset) {
    this.file = file;
    this.offset = offset;
  }

  /// The clock is right at first.
  ///
  /// @param file where to keep by how much it is wrong; it is made
  static ClockShim at(Path file) throws IOException {
    ClockShim clock =
        new ClockShim(
            file, FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
    clock.jump(Duration.ZERO);
    return clock;
  }

  /// From now on the wall clock is wrong by so much, in seconds.
  void jump(Duration by) throws IOException {
    ByteBuffer seconds = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
    int _ = offset.write(seconds.putLong(0, by.toSeconds()), 0);
  }

  /// What a program needs in its environment to run on the shim.
  Map<String, String> environment() throws IOException, InterruptedException {
    return Map.of(
        "LD_PRELOAD",
        Shims.library("clockshim").toString(),
        "CLOCKSHIM_OFFSET",
        file.toAbsolutePath().toString());
  }

  @Override
  public void close() throws IOException {
    offset.close();
  }
}
