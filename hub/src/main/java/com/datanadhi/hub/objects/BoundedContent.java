package com.datanadhi.hub.objects;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// The first bytes of a stream. Confined to one thread.
final class BoundedContent extends FilterInputStream {
  private long left;

  /// @param bytes how many
  BoundedContent(InputStream in, long bytes) {
    super(in);
    this.left = bytes;
  }

  @Override
  public int read() throws IOException {
    int one = left == 0 ? -1 : super.read();
    left -= one == -1 ? 0 : 1;
    return one;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (left == 0 && length > 0) {
      return -1;
    }
    int count = super.read(buffer, offset, (int) Math.min(left, length));
    left -= Math.max(count, 0);
    return count;
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
