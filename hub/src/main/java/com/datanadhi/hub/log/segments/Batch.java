package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.NewEntry;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/// The records of one append.
final class Batch implements Append.Accepted {
  private final Stream stream;
  private final Durability durability;
  private final long firstOffset;
  private final int count;
  private final long bytes;
  private final @Nullable CountDownLatch done;
  private volatile List<NewEntry> entries;
  private volatile @Nullable String failure;

  /// @param done of the group; null if it counts already
  Batch(
      Stream stream,
      List<NewEntry> entries,
      Durability durability,
      long firstOffset,
      long bytes,
      @Nullable CountDownLatch done) {
    this.stream = stream;
    this.entries = entries;
    this.count = entries.size();
    this.durability = durability;
    this.firstOffset = firstOffset;
    this.bytes = bytes;
    this.done = done;
  }

  Stream stream() {
    return stream;
  }

  List<NewEntry> entries() {
    return entries;
  }

  Durability durability() {
    return durability;
  }

  long firstOffset() {
    return firstOffset;
  }

  long bytes() {
    return bytes;
  }

  int count() {
    return count;
  }

  /// The caller may hold this object for long, but the records are written.
  void forgetEntries() {
    entries = List.of();
  }

  boolean hasFailed() {
    return failure != null;
  }

  /// Before the group is done.
  void fail(String reason) {
    failure = reason;
  }

  @Override
  public Append.Outcome await() throws InterruptedException {
    if (done != null) {
      done.await();
    }
    String reason = failure;
    return reason == null ? new Append.Stored(firstOffset) : new Append.Unknown(reason);
  }
}
