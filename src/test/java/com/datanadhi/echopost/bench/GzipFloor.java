package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/// The floor of archiving, as a program: gzip of the same bytes, at the same level, in one thread.
final class GzipFloor {
  private static final int BUFFER = 1 << 16;

  private GzipFloor() {}

  /// `GzipFloor DIRECTORY`, which holds the archive of a tenant: prints the records per second, and
  /// the CPU time per record in microseconds.
  public static void main(String[] arguments) throws IOException {
    Watch watch = new Watch();
    long records = 0;
    for (Path segment : ArchivedSegments.in(Path.of(arguments[0]))) {
      byte[] lines = ArchivedSegments.unpack(segment);
      watch.start();
      try (GZIPOutputStream out = new GZIPOutputStream(OutputStream.nullOutputStream(), BUFFER)) {
        out.write(lines);
      }
      watch.stop();
      for (byte character : lines) {
        if (character == '\n') {
          records++;
        }
      }
    }
    watch.print(records);
  }
}
