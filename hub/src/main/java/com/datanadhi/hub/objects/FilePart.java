package com.datanadhi.hub.objects;

import java.io.FileInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.http.ContentStreamProvider;

/// A part of a file as the content of a request. Each attempt to send it reads it again. What a
/// failed attempt left open is closed by the next one or at the end. Confined to one thread.
final class FilePart implements ContentStreamProvider, AutoCloseable {
  private final Path file;
  private final long begin;
  private final long length;
  private @Nullable InputStream opened;

  FilePart(Path file, long begin, long length) {
    this.file = file;
    this.begin = begin;
    this.length = length;
  }

  @Override
  public InputStream newStream() {
    close();
    try {
      // Not Files.newInputStream: an interrupt would close it.
      InputStream in = new FileInputStream(file.toFile());
      opened = in;
      in.skipNBytes(begin);
      return new Bounded(in, length);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  @Override
  public void close() {
    try {
      if (opened != null) {
        opened.close();
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  /// The first bytes of a stream.
  private static final class Bounded extends FilterInputStream {
    private long left;

    Bounded(InputStream in, long left) {
      super(in);
      this.left = left;
    }

    @Override
    public int read() throws IOException {
      int one = left == 0 ? -1 : super.read();
      left -= one == -1 ? 0 : 1;
      return one;
    }

    @Override
    public int read(byte[] buffer, int offset, int count) throws IOException {
      if (left == 0 && count > 0) {
        return -1;
      }
      int read = super.read(buffer, offset, (int) Math.min(left, count));
      left -= Math.max(read, 0);
      return read;
    }

    @Override
    public boolean markSupported() {
      return false;
    }
  }
}
