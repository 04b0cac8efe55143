package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.http.BatchOutcome;
import com.datanadhi.sdk.internal.http.DeliveryOutcome;
import com.datanadhi.sdk.internal.http.Downtime;
import com.datanadhi.sdk.internal.http.MainServer;
import com.datanadhi.sdk.internal.http.ServerClient;
import com.datanadhi.sdk.internal.http.ServerHealth;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.queue.RecordQueue;
import com.datanadhi.sdk.internal.time.Clock;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Sends records to the main server: in batches while it offers them, else one per request, of which
 * several can be sent at the same time. Marks the server down when it is. Thread-safe.
 */
public final class MainServerSender {
  /** Receives the outcomes of records. A record that it does not get has none. */
  interface Outcomes {
    /** The server has stored the records. */
    void delivered(List<OutgoingRecord> records);

    /** The server will never accept the records; {@code status} is that of the first. */
    void rejected(List<OutgoingRecord> records, int status) throws InterruptedException;
  }

  private final MainServer server;
  private final ServerHealth health;
  private final BatchLimits limits;
  private final int requestsAtOnce;
  private final BatchSize size;
  private final RateLimitedLog log;
  private final Clock clock;

  /** One thread at a time waits for a batch, so that two do not share its records. */
  private final ReentrantLock forming = new ReentrantLock();

  /**
   * Sends to {@code server}, whose state is {@code health}.
   *
   * @param requestsAtOnce the most requests with a record each that a thread sends at the same
   *     time; with 1 the records of a thread stay in order
   */
  public MainServerSender(
      MainServer server,
      ServerHealth health,
      BatchLimits limits,
      int requestsAtOnce,
      RateLimitedLog log,
      Clock clock) {
    this.server = server;
    this.health = health;
    this.limits = limits;
    this.requestsAtOnce = requestsAtOnce;
    this.size = new BatchSize(limits.records(), clock);
    this.log = log;
    this.clock = clock;
  }

  /**
   * Takes what one {@link #send} can send; waits for a batch to form if the server takes batches.
   */
  List<OutgoingRecord> takeNext(RecordQueue queue) throws InterruptedException {
    forming.lockInterruptibly();
    try {
      int records = maxRecords();
      if (records > 1) {
        queue.awaitBatch(limits.delay());
      }
      return queue.takeWhile(new BatchRule(records > 1 ? records : requestsAtOnce, limits.bytes()));
    } finally {
      forming.unlock();
    }
  }

  /** The first of the records, at least one, which one {@link #send} can send. */
  List<OutgoingRecord> firstOf(List<OutgoingRecord> records) {
    BatchRule rule = new BatchRule(maxRecords(), limits.bytes());
    int count = 0;
    while (count < records.size() && rule.test(records.get(count))) {
      count++;
    }
    return records.subList(0, count);
  }

  private int maxRecords() {
    return server.offersBatches() ? size.next() : 1;
  }

  /** Sends records that {@link #takeNext} or {@link #firstOf} chose. */
  void send(List<OutgoingRecord> records, ServerClient.Cancellation cancellation, Outcomes outcomes)
      throws InterruptedException {
    if (records.size() == 1 || maxRecords() == 1) {
      sendOneByOne(records, cancellation, outcomes);
    } else {
      sendBatch(records, cancellation, outcomes);
    }
  }

  private void sendBatch(
      List<OutgoingRecord> records, ServerClient.Cancellation cancellation, Outcomes outcomes)
      throws InterruptedException {
    long start = clock.nanos();
    BatchOutcome outcome = server.deliverBatch(records, cancellation);
    if (outcome instanceof BatchOutcome.Decided decided) {
      size.answered(records.size(), since(start));
      health.markDelivered();
      outcomes.delivered(decided.delivered());
      if (!decided.rejected().isEmpty()) {
        outcomes.rejected(
            decided.rejected().stream().map(BatchOutcome.Rejection::record).toList(),
            decided.rejected().get(0).status());
      }
    } else if (outcome instanceof BatchOutcome.Unreadable unreadable) {
      logUnreadable(unreadable.reason(), size.unreadable());
    } else if (outcome instanceof BatchOutcome.TooLarge) {
      size.tooLarge(records.size());
    } else if (outcome instanceof BatchOutcome.Unavailable unavailable) {
      markDown(records.size(), unavailable.downtime());
    } else if (outcome instanceof BatchOutcome.Refused refused) {
      size.refused();
      logRefused(refused.status());
      sendOneByOne(records, cancellation, outcomes);
    }
  }

  /**
   * Sends each record in a request of its own, some at a time, up to those that are sent with the
   * first that gets no outcome.
   */
  private void sendOneByOne(
      List<OutgoingRecord> records, ServerClient.Cancellation cancellation, Outcomes outcomes)
      throws InterruptedException {
    boolean allDecided = true;
    for (int from = 0; from < records.size() && allDecided; from += requestsAtOnce) {
      int to = Math.min(from + requestsAtOnce, records.size());
      allDecided = sendAtOnce(records.subList(from, to), cancellation, outcomes);
    }
  }

  /** Returns whether each record has an outcome. */
  private boolean sendAtOnce(
      List<OutgoingRecord> records, ServerClient.Cancellation cancellation, Outcomes outcomes)
      throws InterruptedException {
    long start = clock.nanos();
    List<DeliveryOutcome> results = server.deliver(records, cancellation);
    List<OutgoingRecord> delivered = new ArrayList<>();
    List<OutgoingRecord> rejected = new ArrayList<>();
    int firstStatus = 0;
    Downtime downtime = null;
    for (int i = 0; i < records.size(); i++) {
      DeliveryOutcome result = results.get(i);
      if (result instanceof DeliveryOutcome.Delivered) {
        delivered.add(records.get(i));
      } else if (result instanceof DeliveryOutcome.Rejected rejection) {
        firstStatus = rejected.isEmpty() ? rejection.status() : firstStatus;
        rejected.add(records.get(i));
      } else if (result instanceof DeliveryOutcome.Unavailable unavailable) {
        downtime = unavailable.downtime();
      }
    }
    if (!delivered.isEmpty()) {
      size.answered(1, since(start));
      health.markDelivered();
      outcomes.delivered(delivered);
    }
    if (downtime != null) {
      markDown(1, downtime);
    }
    if (!rejected.isEmpty()) {
      outcomes.rejected(rejected, firstStatus);
    }
    return delivered.size() + rejected.size() == records.size();
  }

  private Duration since(long start) {
    return Duration.ofNanos(clock.nanos() - start);
  }

  private void markDown(int records, Downtime downtime) {
    size.unavailable(records);
    health.markDown(downtime);
  }

  private void logUnreadable(String reason, boolean oneByOne) {
    log.logRateLimited(
        Level.WARNING,
        "batch",
        "The main server's answer to a batch cannot be used: %s. Its records are sent again%s"
            .formatted(reason, oneByOne ? ", one by one for at most a minute" : ""));
  }

  private void logRefused(int status) {
    log.logRateLimited(
        Level.WARNING,
        "batch refused",
        ("The main server offers batches, but answered %d to one."
                + " The records of such a batch are sent one by one")
            .formatted(status));
  }
}
