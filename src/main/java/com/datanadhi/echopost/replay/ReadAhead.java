package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.upstream.DeliveryClient;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Reads and encodes the next batch in a thread of its own, while one is in flight and is settled.
///
/// Only for a backlog without surprises: the batch in flight is full and not large, and so is the
/// next, as if it was answered promptly. Whatever else there is to read or to do, the replay thread
/// does, and what was read ahead and does not fit is dropped. So at most two batches are in memory,
/// and two only while both are small.
///
/// Only the replay thread calls it.
final class ReadAhead {
  /// A batch beside another one has at most about this many bytes.
  static final int LARGEST_BYTES = 1 << 20;

  private static final CompletableFuture<@Nullable Batch> NOTHING =
      CompletableFuture.completedFuture(null);

  private final Buffer buffer;
  private final DeliveryClient client;
  private final BatchPolicy batches;
  private CompletableFuture<@Nullable Batch> next = NOTHING;

  ReadAhead(Buffer buffer, DeliveryClient client, BatchPolicy batches) {
    this.buffer = buffer;
    this.client = client;
    this.batches = batches;
  }

  /// `inFlight` is sent next: starts to read what follows on it.
  void start(Batch inFlight) {
    int limit = batches.limitAfter(inFlight.size());
    if (inFlight.size() == inFlight.limit()
        // Of smaller batches, one read has several.
        && inFlight.size() >= Replay.READ_RECORDS
        && inFlight.encoded().length() <= LARGEST_BYTES
        && buffer.totals().pending() >= inFlight.size() + limit) {
      long afterId = inFlight.lastId();
      boolean gzip = inFlight.gzip();
      next =
          CompletableFuture.supplyAsync(
              () -> read(afterId, limit, gzip),
              task -> {
                Thread _ = Thread.ofVirtual().name("read-ahead").start(task);
              });
    }
  }

  private @Nullable Batch read(long afterId, int limit, boolean gzip) {
    try {
      List<PendingRecord> records = buffer.readAhead(afterId, limit, LARGEST_BYTES);
      if (records.size() < limit || !records.getFirst().sound()) {
        return null;
      }
      Portion portion = Portion.of(records, limit, gzip, 0);
      return portion.isBatch() && portion.requests().size() == limit
          ? Batch.of(records, portion, client)
          : null;
    } catch (StorageException failed) {
      // The replay thread reads the same next: it meets the failure, if there still is one.
      return null;
    }
  }

  /// Waits until nothing is read any more, also when interrupted.
  void await() {
    Batch _ = next.join();
  }

  /// The batch that was read ahead, if it is the next one; null if there is none. The caller closes
  /// it.
  ///
  /// @param limit of batches now
  @Nullable Batch take(int limit) {
    Batch ahead = next.join();
    if (ahead == null
        || ahead.limit() != limit
        || ahead.gzip() != client.offer().gzip()
        || !buffer.startsAfter(ahead.firstId() - 1)) {
      drop();
      return null;
    }
    next = NOTHING;
    return ahead;
  }

  /// Drops what was read ahead.
  void drop() {
    Batch ahead = next.join();
    next = NOTHING;
    if (ahead != null) {
      ahead.close();
    }
  }
}
