package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.record.Totals;
import com.datanadhi.echopost.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/// The [BufferWriter] in use, the ledger as of its last commit, and whether the storage is usable.
///
/// Only the writer thread changes these. Each is a volatile reference that any thread may read;
/// [Totals] is immutable.
final class ActiveWriter {
  /// With this many new buffers within the window the disk is the cause, and the next one would be
  /// damaged too.
  private static final int MAX_REPLACEMENTS = 3;

  private static final long REPLACEMENT_WINDOW_NANOS = 60_000_000_000L;

  /// Opens another file in the place of the one in use.
  interface Replacement {
    /// Quarantines the damaged one and closes its connection.
    BufferWriter create(BufferWriter damaged, StorageException why) throws StorageException;

    /// Puts an open buffer back under its name and closes the connection to the old file.
    ///
    /// @param progress called while it is copied
    BufferWriter restore(BufferWriter open, Runnable progress) throws StorageException;
  }

  private final Replacement replacement;
  private final BufferListener listener;
  private final Clock clock;
  private final Deque<Long> replacedAt = new ArrayDeque<>();
  private volatile BufferWriter writer;
  private volatile Totals totals;
  private volatile @Nullable StorageException failure;
  private volatile @Nullable StorageException lost;
  private volatile long progressNanos;

  ActiveWriter(BufferWriter writer, Replacement replacement, BufferListener listener, Clock clock) {
    this.writer = writer;
    this.totals = writer.totals();
    this.replacement = replacement;
    this.listener = listener;
    this.clock = clock;
  }

  BufferWriter get() {
    return writer;
  }

  Totals totals() {
    return totals;
  }

  /// The reason why the storage is unusable, or null while it is usable.
  @Nullable StorageException failure() {
    return failure;
  }

  /// Why new records are refused although the open files are usable: other processes cannot find
  /// them. Null while they can.
  @Nullable StorageException lost() {
    return lost;
  }

  /// The names lead to the open files again.
  void found() {
    lost = null;
  }

  /// The time of the last progress of [#restore], by the clock's nanoseconds.
  long progressNanos() {
    return progressNanos;
  }

  /// Puts the buffer back under its name. If that fails, it stays in use without one, for
  /// deliveries only, and this can be called again.
  void restore() {
    try {
      progressNanos = clock.nanos();
      writer = replacement.restore(writer, () -> progressNanos = clock.nanos());
      totals = writer.totals();
      lost = null;
      listener.bufferReplaced();
    } catch (StorageException.Lost | StorageException.Corrupted useless) {
      fail(useless);
    } catch (StorageException failed) {
      if (lost == null) {
        Events.severe(
            EventNames.BUFFER_NOT_RESTORED,
            "reason",
            failed.getMessage(),
            "pending",
            totals.pending(),
            "action",
            "another process deleted or replaced open files: make room or fix the directory and do"
                + " not stop the agent; it tries again every second, refuses records until then,"
                + " and goes on delivering");
      }
      lost = new StorageException.Nameless(failed);
    }
  }

  /// The writer has committed: publishes its ledger.
  void committed() {
    totals = writer.totals();
  }

  /// Ends the use of the storage.
  void fail(StorageException why) {
    failure = why;
    listener.failed();
  }

  /// Ends the use of the storage, unless the failure is transient or a new buffer can replace a
  /// damaged one.
  void failUnlessRecoverable(StorageException why) {
    if (!why.isTransient() && !(why.isCorruption() && replace(why))) {
      fail(why);
    }
  }

  /// Replaces the file of `damaged`, unless that was done before; ends the use of the storage when
  /// it cannot be replaced.
  void replaceIfActive(BufferWriter damaged, StorageException why) {
    if (damaged == writer && failure == null && !replace(why)) {
      fail(why);
    }
  }

  /// Puts a new buffer in the place of the damaged one, unless too many were replaced recently.
  ///
  /// @return whether there is a new buffer now
  boolean replace(StorageException why) {
    long now = clock.nanos();
    while (!replacedAt.isEmpty() && now - replacedAt.getFirst() > REPLACEMENT_WINDOW_NANOS) {
      replacedAt.removeFirst();
    }
    if (replacedAt.size() == MAX_REPLACEMENTS) {
      Events.severe(
          EventNames.BUFFER_DAMAGED_AGAIN,
          "reason",
          why.getMessage(),
          "action",
          "check the disk, then start the agent again: it salvages the sound records then");
      return false;
    }
    replacedAt.addLast(now);
    try {
      writer = replacement.create(writer, why);
      totals = writer.totals();
      listener.bufferReplaced();
      return true;
    } catch (StorageException failed) {
      Events.severe(EventNames.BUFFER_REPLACE_FAILED, failed);
      return false;
    }
  }
}
