package com.datanadhi.sdk.comparison;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What the server has received, in a file that both processes map: the application reads the number
 * of records without a request. Thread-safe.
 */
final class Received {
  private static final VarHandle LONGS =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

  private final ByteBuffer memory;

  Received(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      this.memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, 3L * Long.BYTES);
    }
  }

  void add(long records, long bytes) {
    long unused = (long) LONGS.getAndAdd(memory, 0, records);
    unused = (long) LONGS.getAndAdd(memory, Long.BYTES, bytes);
    unused = (long) LONGS.getAndAdd(memory, 2 * Long.BYTES, 1L);
  }

  long records() {
    return (long) LONGS.getVolatile(memory, 0);
  }

  /** The bytes of all bodies, as they were sent. */
  long bytes() {
    return (long) LONGS.getVolatile(memory, Long.BYTES);
  }

  long requests() {
    return (long) LONGS.getVolatile(memory, 2 * Long.BYTES);
  }
}
