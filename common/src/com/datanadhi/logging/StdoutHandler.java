package com.datanadhi.logging;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import org.jspecify.annotations.Nullable;

/// Writes log lines to standard output, which can be closed, full or never read: a thread of its
/// own writes from a bounded queue, and lines that do not fit are dropped, so that a log call never
/// blocks. Thread-safe.
public final class StdoutHandler extends Handler {
  private static final byte[] END = {};
  private static final long FLUSH_MILLIS = 200;

  private final Formatter formatter;
  private final OutputStream out;
  private final BlockingQueue<byte[]> lines;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread writer;

  /// Starts the thread that writes to `out`.
  ///
  /// @param maxLines that wait to be written
  public StdoutHandler(OutputStream out, Formatter formatter, int maxLines) {
    this.formatter = formatter;
    this.out = out;
    this.lines = new ArrayBlockingQueue<>(maxLines);
    this.writer = Thread.ofPlatform().daemon().name("stdout").unstarted(this::write);
    writer.start();
  }

  @Override
  public void publish(@Nullable LogRecord line) {
    if (line == null || closed.get()) {
      return;
    }
    // False when standard output is read too slowly.
    boolean _ = lines.offer(formatter.format(line).getBytes(StandardCharsets.UTF_8));
  }

  @SuppressWarnings("ReferenceEquality") // END is compared by identity
  private void write() {
    try {
      for (byte[] line = lines.take(); line != END; line = lines.take()) {
        out.write(line);
        out.flush();
      }
    } catch (IOException readerClosed) {
      closed.set(true);
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void flush() {}

  /// The lines that wait get up to 0.4 s.
  @Override
  public void close() {
    try {
      if (lines.offer(END, FLUSH_MILLIS, TimeUnit.MILLISECONDS)) {
        writer.join(FLUSH_MILLIS);
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
