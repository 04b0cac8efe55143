package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.Settlement;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import java.time.Duration;

/// Commits to the buffer what the server has decided, and counts it. Waits while the disk is full
/// or another process holds a lock: the server has already responded and must not get the records
/// again.
///
/// Not thread-safe: only the replay thread uses it.
final class ReplayCommits {
  static final Duration RETRY = Duration.ofSeconds(1);
  private static final int RESPONSE_CHARS = 1 << 10;

  private final Buffer buffer;
  private final Clock clock;
  private final Waiter waiter;
  private final ReplayMetrics metrics;
  private final ReplayPass pass;

  ReplayCommits(Buffer buffer, Clock clock, Waiter waiter, ReplayMetrics metrics, ReplayPass pass) {
    this.buffer = buffer;
    this.clock = clock;
    this.waiter = waiter;
    this.metrics = metrics;
    this.pass = pass;
  }

  /// The server has accepted `records` records, the last of them `throughId`. An interrupt waits
  /// until that is committed.
  void acknowledge(int records, long throughId) throws InterruptedException, StorageException {
    pass.delivered(records);
    uninterrupted(() -> buffer.acknowledge(throughId));
  }

  /// The server has decided about a batch. An interrupt waits until that is committed.
  void settle(int records, Settlement settlement) throws InterruptedException, StorageException {
    pass.delivered(records - settlement.rejections().size());
    uninterrupted(() -> buffer.settle(settlement));
    settlement.rejections().forEach(this::rejected);
  }

  /// The first pending record is rejected.
  void reject(Rejection rejection) throws InterruptedException, StorageException {
    retryWhileTransient(() -> buffer.reject(rejection));
    rejected(rejection);
  }

  /// @param response of the server, of which the start is kept
  Rejection rejection(PendingRecord record, int status, String response, int attempts) {
    String start = response.substring(0, Math.min(response.length(), RESPONSE_CHARS));
    return new Rejection(record, status, start, attempts, clock.millis());
  }

  private void rejected(Rejection rejection) {
    pass.rejected();
    metrics.rejected(rejection.status());
    Events.warning(
        EventNames.RECORD_REJECTED,
        "id",
        rejection.record().id(),
        "status",
        rejection.status(),
        "attempts",
        rejection.attempts(),
        "idempotency_key",
        rejection.record().idempotencyKey(),
        "action",
        "see the record and the server's response in the table 'rejected'");
  }

  private interface Commit {
    void run() throws InterruptedException, StorageException;
  }

  private void uninterrupted(Commit commit) throws InterruptedException, StorageException {
    boolean interrupted = Thread.interrupted();
    try {
      retryWhileTransient(commit);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void retryWhileTransient(Commit commit) throws InterruptedException, StorageException {
    while (true) {
      try {
        commit.run();
        return;
      } catch (StorageException failed) {
        if (!failed.isTransient()) {
          throw failed;
        }
        Events.warning(EventNames.ACKNOWLEDGE_DELAYED, "reason", failed.getMessage());
        waiter.await(RETRY);
      }
    }
  }
}
