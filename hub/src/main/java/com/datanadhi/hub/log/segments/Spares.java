package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.logging.Events;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The next segment of one stream, zero-filled ahead by the background thread: a sync of data in
/// allocated and written blocks needs no change of the file system's own records. If it cannot be
/// made, that is tried again until it can. Thread-safe.
final class Spares {
  /// There is no room for a segment.
  static final class NoRoomException extends IOException {
    private static final long serialVersionUID = 1;

    NoRoomException(String reason) {
      super(reason);
    }
  }

  private static final int STEP = 1 << 20;
  private static final int SYNC_EVERY = 8 * STEP;
  private static final long RETRY_MILLIS = 500;

  private final Stream stream;
  private final Path file;
  private final ScheduledExecutorService background;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private volatile @Nullable FileChannel ready;
  private volatile @Nullable String failure;
  private boolean preparing;
  private boolean closed;

  Spares(Stream stream, ScheduledExecutorService background) {
    this.stream = stream;
    this.file = stream.directory().resolve("next" + SegmentName.TEMPORARY);
    this.background = background;
  }

  /// Why there is none; null if there is one or one is being made.
  @Nullable String failure() {
    return failure;
  }

  boolean isReady() {
    return ready != null;
  }

  /// Has one made, unless there is one.
  void prepare() {
    lock.lock();
    try {
      if (!preparing && !closed && ready == null) {
        preparing = true;
        background.execute(this::make);
      }
    } catch (RejectedExecutionException closing) {
      preparing = false;
      failure = "the log is closing";
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void make() {
    if (isStopped()) {
      return;
    }
    FileChannel made = null;
    String reason = null;
    try {
      DurableFiles.createDirectories(stream.directory());
      made = fill();
    } catch (IOException failed) {
      reason = failed.toString();
    }
    lock.lock();
    try {
      if (reason != null && failure == null) {
        Events.warning("log_unwritable", "stream", stream.name(), "reason", reason);
      } else if (reason == null && failure != null) {
        Events.info("log_writable", "stream", stream.name());
      }
      ready = made;
      failure = reason;
      preparing = made == null && !closed;
      if (preparing) {
        Object _ = background.schedule(this::make, RETRY_MILLIS, TimeUnit.MILLISECONDS);
      }
      changed.signalAll();
    } catch (RejectedExecutionException closing) {
      preparing = false;
    } finally {
      lock.unlock();
    }
  }

  private FileChannel fill() throws IOException {
    Files.deleteIfExists(file);
    FileChannel channel =
        DurableFiles.open(
            file, StandardOpenOption.WRITE, StandardOpenOption.READ, StandardOpenOption.CREATE_NEW);
    try {
      ByteBuffer zeros = ByteBuffer.allocateDirect(STEP);
      for (long position = 0; position < stream.segmentBytes(); ) {
        zeros.clear().limit((int) Math.min(STEP, stream.segmentBytes() - position));
        DurableFiles.writeFully(channel, zeros, position);
        position += zeros.limit();
        if (position % SYNC_EVERY == 0) {
          // In small parts: the syncs of the open segment wait for the same disk.
          channel.force(false);
        }
      }
      channel.force(true);
      return channel;
    } catch (IOException failed) {
      try (channel) {
        // What was allocated is room for others.
        Files.deleteIfExists(file);
      }
      throw failed;
    }
  }

  /// Makes the spare the segment of this name, durably, and has the next one made. Waits while it
  /// is being made.
  ///
  /// @throws NoRoomException it cannot be made
  /// @throws IOException its name cannot be changed: the log fails
  FileChannel take(SegmentName name) throws IOException {
    FileChannel taken;
    lock.lock();
    try {
      prepare();
      while (ready == null) {
        String reason = failure;
        if (reason != null) {
          throw new NoRoomException(reason);
        }
        changed.awaitUninterruptibly();
      }
      taken = ready;
      ready = null;
    } finally {
      lock.unlock();
    }
    DurableFiles.move(file, name.in(stream.directory(), SegmentName.LOG));
    prepare();
    return taken;
  }

  /// Nothing is made any more.
  void stop() {
    lock.lock();
    try {
      closed = true;
    } finally {
      lock.unlock();
    }
  }

  private boolean isStopped() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /// After the background thread has ended.
  void close() throws IOException {
    lock.lock();
    try (FileChannel _ = ready) {
      ready = null;
      Files.deleteIfExists(file);
    } finally {
      lock.unlock();
    }
  }
}
