package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/// The floor of a log: writes one after the other on a zero-filled file, with one fdatasync each.
final class RawLogFloor {
  private static final int FILE_BYTES = 64 << 20;

  private RawLogFloor() {}

  /// @param sortedNanos the times of the writes
  @SuppressWarnings("ArrayRecordComponent")
  record Result(double writesPerSecond, long[] sortedNanos) {
    double latencyMillis(double quantile) {
      return sortedNanos[(int) Math.min(sortedNanos.length - 1, quantile * sortedNanos.length)]
          / 1e6;
    }
  }

  /// Writes `count` times `bytes` bytes.
  static Result run(Path directory, int bytes, int count) throws IOException {
    Path file = directory.resolve("raw.log");
    long[] nanos = new long[count];
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
      for (long at = 0; at < FILE_BYTES; at += zeros.capacity()) {
        write(channel, zeros.clear(), at);
      }
      channel.force(true);
      long start = System.nanoTime();
      long position = 0;
      for (int i = 0; i < count; i++) {
        long before = System.nanoTime();
        if (position + bytes > FILE_BYTES) {
          position = 0;
        }
        write(channel, buffer.clear(), position);
        position += bytes;
        channel.force(false);
        nanos[i] = System.nanoTime() - before;
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      Arrays.sort(nanos);
      return new Result(count / seconds, nanos);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static void write(FileChannel channel, ByteBuffer bytes, long position)
      throws IOException {
    while (bytes.hasRemaining()) {
      position += channel.write(bytes, position);
    }
  }
}
