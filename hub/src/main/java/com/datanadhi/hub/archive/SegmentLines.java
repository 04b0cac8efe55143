package com.datanadhi.hub.archive;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/// Unpacks a segment line by line. Not thread-safe.
final class SegmentLines implements AutoCloseable {
  /// A segment is cut before its lines have this many bytes together, unless one transaction alone
  /// has more.
  static final long CUT_UNPACKED = 256L << 20;

  private static final long MAX_UNPACKED = 2 * CUT_UNPACKED;
  private static final int BUFFER = 1 << 16;

  private final String object;
  private final InputStream in;
  private final byte[] buffer = new byte[BUFFER];
  private int from;
  private int end;
  private byte[] begun = new byte[1_024];
  private int begunLength;
  private long total;

  SegmentLines(String object, byte[] packed) throws ArchiveFaultException {
    this.object = object;
    try {
      in = new GZIPInputStream(new ByteArrayInputStream(packed), BUFFER);
    } catch (IOException notGzip) {
      throw notGzip(notGzip);
    }
  }

  /// The next line without its line end, or null behind the last one.
  ///
  /// @throws ArchiveFaultException it is not gzip, not lines, or too large
  byte @Nullable [] next() throws ArchiveFaultException {
    while (true) {
      for (int i = from; i < end; i++) {
        if (buffer[i] == '\n') {
          byte[] line = Arrays.copyOf(begun, begunLength + i - from);
          System.arraycopy(buffer, from, line, begunLength, i - from);
          from = i + 1;
          begunLength = 0;
          return line;
        }
      }
      keep();
      if (!fill()) {
        if (begunLength > 0) {
          throw new ArchiveFaultException(object, "ends in the middle of a line");
        }
        return null;
      }
    }
  }

  /// Keeps the begin of a line.
  private void keep() throws ArchiveFaultException {
    int length = begunLength + end - from;
    if (length > ArchiveLine.MAX_BYTES) {
      throw new ArchiveFaultException(
          object, "has a line of more than " + ArchiveLine.MAX_BYTES + " bytes");
    }
    if (length > begun.length) {
      begun = Arrays.copyOf(begun, Math.max(2 * begun.length, length));
    }
    System.arraycopy(buffer, from, begun, begunLength, end - from);
    begunLength = length;
  }

  private boolean fill() throws ArchiveFaultException {
    from = 0;
    end = 0;
    try {
      int read = in.read(buffer);
      end = Math.max(read, 0);
      total += end;
      if (total > MAX_UNPACKED) {
        throw new ArchiveFaultException(object, "unpacks to more than " + MAX_UNPACKED + " bytes");
      }
      return read >= 0;
    } catch (IOException notGzip) {
      throw notGzip(notGzip);
    }
  }

  private ArchiveFaultException notGzip(IOException cause) {
    return new ArchiveFaultException(object, "cannot be unpacked: " + cause.getMessage());
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException impossible) {
      throw new AssertionError(impossible);
    }
  }
}
