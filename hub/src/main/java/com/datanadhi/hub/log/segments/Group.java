package com.datanadhi.hub.log.segments;

import com.datanadhi.hub.log.Durability;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/// The batches that are written together. Guarded by the log's lock until the writer takes it, then
/// the writer's; others only wait on the latches.
final class Group implements Work {
  private final List<Batch> batches = new ArrayList<>();
  private final Set<Stream> streams = new LinkedHashSet<>(4);
  private final Set<Stream> toSync = new LinkedHashSet<>(4);
  private final CountDownLatch written = new CountDownLatch(1);
  private final CountDownLatch synced = new CountDownLatch(1);
  private boolean weak;

  void add(Batch batch) {
    batches.add(batch);
    streams.add(batch.stream());
    if (batch.durability() == Durability.FSYNC) {
      toSync.add(batch.stream());
    } else {
      weak = true;
    }
  }

  List<Batch> batches() {
    return batches;
  }

  Set<Stream> streams() {
    return streams;
  }

  /// The streams in which someone waits for a sync.
  Set<Stream> toSync() {
    return toSync;
  }

  /// Whether an append in it is weaker than fsync.
  boolean isWeak() {
    return weak;
  }

  CountDownLatch written() {
    return written;
  }

  CountDownLatch synced() {
    return synced;
  }

  /// Fails what has not been completed.
  void fail(String reason) {
    boolean onlyUnsynced = written.getCount() == 0;
    for (Batch batch : batches) {
      if (!onlyUnsynced || batch.durability() == Durability.FSYNC) {
        batch.fail(reason);
      }
    }
    complete();
  }

  void complete() {
    written.countDown();
    synced.countDown();
  }
}
