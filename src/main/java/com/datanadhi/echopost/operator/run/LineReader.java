package com.datanadhi.echopost.operator.run;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Reads lines as bytes, of which it holds one. For one thread.
final class LineReader {
  /// Three bytes of a payload that is written in ASCII for each byte of its own, and the rest.
  private static final int LONGEST = 16 << 20;

  private final InputStream in;
  private final byte[] piece = new byte[1 << 16];
  private int at;
  private int end;
  private byte[] line = new byte[1 << 12];
  private long number;

  LineReader(InputStream in) {
    this.in = in;
  }

  /// The next line, without its end.
  ///
  /// @return null when there is none
  /// @throws IllegalArgumentException when it is longer than 16 MiB
  byte @Nullable [] next() throws IOException {
    number++;
    int length = 0;
    while (refill()) {
      int from = at;
      while (at < end && piece[at] != '\n') {
        at++;
      }
      if (length + (at - from) > LONGEST) {
        throw new IllegalArgumentException("it is longer than 16 MiB");
      }
      if (length + (at - from) > line.length) {
        line = Arrays.copyOf(line, Math.min(LONGEST, 2 * (length + (at - from))));
      }
      System.arraycopy(piece, from, line, length, at - from);
      length += at - from;
      if (at < end) {
        at++;
        return Arrays.copyOf(line, length);
      }
    }
    return length == 0 ? null : Arrays.copyOf(line, length);
  }

  /// @return false at the end
  private boolean refill() throws IOException {
    if (at == end) {
      at = 0;
      end = Math.max(0, in.read(piece));
    }
    return at < end;
  }

  /// The number of the line that was read last, from 1 on.
  long number() {
    return number;
  }
}
