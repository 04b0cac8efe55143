package com.datanadhi.echopost.buffer;

import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.UUID;

/// Random UUIDs (RFC 9562, version 4).
final class RandomId {
  private static final int BYTES = 16;

  private RandomId() {}

  /// A new UUID, from the random source of the operating system at this moment. A generator within
  /// the process would give the same ids to two copies of it, as a snapshot of a virtual machine
  /// makes them. Java's would also initialize all of its cryptography, which takes 9 ms.
  static String create() {
    try (InputStream system = new FileInputStream("/dev/urandom")) {
      byte[] random = system.readNBytes(BYTES);
      if (random.length < BYTES) {
        throw new EOFException("/dev/urandom is not a random source");
      }
      ByteBuffer bits = ByteBuffer.wrap(random);
      long high = (bits.getLong() & ~0xF000L) | 0x4000L;
      long low = (bits.getLong() & ~(3L << 62)) | (1L << 63);
      return new UUID(high, low).toString();
    } catch (IOException noDevice) {
      // In a chroot without /dev. Java has other sources.
      return UUID.randomUUID().toString();
    }
  }
}
