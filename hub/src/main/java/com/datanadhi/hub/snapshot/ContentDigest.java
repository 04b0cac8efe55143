package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.record.Digests;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/// Reads contents for their size and digest. An interrupt ends it at the next 64 KiB.
final class ContentDigest {
  private static final int PORTION = 64 * 1024;

  private ContentDigest() {}

  static FileDigest of(Path file) throws IOException, InterruptedException {
    try (InputStream in = new FileInputStream(file.toFile())) {
      return of(in, OutputStream.nullOutputStream(), Long.MAX_VALUE);
    }
  }

  /// Copies what it reads.
  ///
  /// @param expectedBytes reading ends soon after more than these
  static FileDigest of(InputStream in, OutputStream out, long expectedBytes)
      throws IOException, InterruptedException {
    MessageDigest sha = Digests.sha256();
    byte[] portion = new byte[PORTION];
    long bytes = 0;
    int read;
    while (bytes <= expectedBytes && (read = in.read(portion)) >= 0) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      sha.update(portion, 0, read);
      out.write(portion, 0, read);
      bytes += read;
    }
    return new FileDigest(bytes, Digests.hex(sha.digest()));
  }

  /// How a content differs from the expected one, or null if it does not.
  static @Nullable String difference(FileDigest found, FileDigest expected) {
    if (found.bytes() > expected.bytes()) {
      return "has more than the " + expected.bytes() + " bytes that its manifest says";
    }
    if (found.bytes() < expected.bytes()) {
      return "has " + found.bytes() + " bytes, and its manifest says " + expected.bytes();
    }
    if (!found.sha256().equals(expected.sha256())) {
      return "has the SHA-256 " + found.sha256() + ", and its manifest says " + expected.sha256();
    }
    return null;
  }
}
