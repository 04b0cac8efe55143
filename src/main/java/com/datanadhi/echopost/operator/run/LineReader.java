package com.datanadhi.echopost.operator.run;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Reads lines as bytes, holding one line in memory at a time. Not thread-safe.
final class LineReader {
  /// Enough for the largest payload with all characters outside ASCII escaped, which takes up to
  /// three times its size, and for the other members.
  private static final int MAX_LINE_BYTES = 16 << 20;

  private static final int START_BYTES = 16;

  private final InputStream in;
  private final byte[] chunk = new byte[1 << 16];
  private int position;
  private int limit;
  private byte[] line = new byte[1 << 12];
  private int length;
  private long number;

  LineReader(InputStream in) {
    this.in = in;
  }

  /// The next line, without its line end.
  ///
  /// @return null at the end of the input
  /// @throws IllegalArgumentException if it is longer than 16 MiB
  byte @Nullable [] next() throws IOException {
    number++;
    length = 0;
    while (refill()) {
      int from = position;
      while (position < limit && chunk[position] != '\n') {
        position++;
      }
      if (length + (position - from) > MAX_LINE_BYTES) {
        throw new IllegalArgumentException("it is longer than 16 MiB");
      }
      if (length + (position - from) > line.length) {
        line = Arrays.copyOf(line, Math.min(MAX_LINE_BYTES, 2 * (length + (position - from))));
      }
      System.arraycopy(chunk, from, line, length, position - from);
      length += position - from;
      if (position < limit) {
        position++;
        return Arrays.copyOf(line, length);
      }
    }
    return length == 0 ? null : Arrays.copyOf(line, length);
  }

  /// @return false at the end of the input
  private boolean refill() throws IOException {
    if (position == limit) {
      position = 0;
      limit = Math.max(0, in.read(chunk));
    }
    return position < limit;
  }

  /// The first bytes of the line that was read last, at most 16, even if it was too long.
  byte[] start() {
    return Arrays.copyOf(line, Math.min(length, START_BYTES));
  }

  /// The number of the line that was read last; the first is 1.
  long number() {
    return number;
  }
}
