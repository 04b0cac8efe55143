package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.Settlement;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import com.datanadhi.echopost.upstream.DeliveryClient;
import com.datanadhi.echopost.upstream.ServerHealth;
import com.datanadhi.echopost.upstream.ServerResponse;
import com.datanadhi.echopost.upstream.ServerState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/// The replay loop: delivers pending records in order, in batches or one by one as [BatchPolicy]
/// decides.
///
/// It reads some records and delivers them. Records that went one by one are acknowledged up to the
/// first that was not accepted, in one transaction; a batch is settled in one transaction before
/// the next is sent. At the first record that cannot be delivered now it waits, for the server or
/// for the record's next attempt. A crash therefore repeats at most the unacknowledged part of one
/// read or one batch, with the same idempotency keys. What was read is left after one second, so
/// that this part stays short when the server is slow.
///
/// [#run] belongs to one thread, the replay thread; [#delivered] and [#writeTo] may be called from
/// any.
public final class Replay {
  /// The records of one read while they go one by one, and at least while they go in batches.
  static final int READ_RECORDS = 256;

  static final long READ_BYTES = 1 << 20;
  private static final long READ_NANOS = 1_000_000_000;
  private static final Duration IDLE = Duration.ofMinutes(1);
  private static final int DAMAGED_RECORD_STATUS = 0;

  private final Buffer buffer;
  private final DeliveryClient client;
  private final ServerState serverState;
  private final Clock clock;
  private final Waiter waiter;
  private final Backoff backoff;
  private final PoisonPolicy poisonPolicy;
  private final BatchPolicy batches;
  private final ReadAhead readAhead;
  private final ReplayMetrics metrics = new ReplayMetrics();
  private final ReplayPass pass;
  private final ReplayCommits commits;

  // The first pending record and its attempts so far.
  private long headId = -1;
  private int headAttempts;
  private long nextAttemptNanos;

  /// @param client delivers the records
  /// @param serverState the main server's state, which is read, and marked DOWN after a failed
  ///   delivery
  /// @param waiter ends the loop's wait when records were stored or the server came up
  /// @param random for the jitter of the back-off
  public Replay(
      Buffer buffer,
      DeliveryClient client,
      ServerState serverState,
      Clock clock,
      Waiter waiter,
      RandomGenerator random) {
    this.buffer = buffer;
    this.client = client;
    this.serverState = serverState;
    this.clock = clock;
    this.waiter = waiter;
    this.backoff = new Backoff(random);
    this.poisonPolicy = new PoisonPolicy(clock);
    this.batches = new BatchPolicy(client);
    this.readAhead = new ReadAhead(buffer, client, batches);
    this.pass = new ReplayPass(clock);
    this.commits = new ReplayCommits(buffer, clock, waiter, metrics, pass);
    this.nextAttemptNanos = clock.nanos();
  }

  /// The number of records delivered in this run. Any thread.
  public long delivered() {
    return metrics.delivered();
  }

  /// Writes replay's metrics. Any thread.
  public void writeTo(Exposition out) {
    metrics.writeTo(out);
  }

  /// Replays until interrupted.
  public void run() throws InterruptedException, StorageException {
    try {
      while (true) {
        waiter.await(turn());
      }
    } finally {
      readAhead.drop();
    }
  }

  /// Does one step: reads once and delivers what was read, if the server is up and no attempt has
  /// to wait. Does not sleep, except while an acknowledgement cannot be committed.
  ///
  /// @return how long to wait before the next turn, unless woken
  Duration turn() throws InterruptedException, StorageException {
    try {
      // Also while the server is down: salvaged records come before those that were stored later.
      buffer.salvage();
      return replayTurn();
    } catch (StorageException failed) {
      if (failed.isTransient()) {
        return ReplayCommits.RETRY;
      }
      if (failed.isCorruption() && buffer.failure() == null) {
        return Duration.ZERO;
      }
      throw failed;
    }
  }

  private Duration replayTurn() throws InterruptedException, StorageException {
    if (buffer.isDrained()) {
      pass.complete();
      return IDLE;
    }
    if (serverState.health() != ServerHealth.UP) {
      return IDLE;
    }
    long untilNextAttempt = nextAttemptNanos - clock.nanos();
    if (untilNextAttempt > 0) {
      return Duration.ofNanos(untilNextAttempt);
    }
    int limit = batches.limit();
    Batch ahead = readAhead.take(limit);
    if (ahead != null) {
      pass.start(buffer.totals().pending());
      Step _ = deliverBatch(ahead);
      return Duration.ZERO;
    }
    List<PendingRecord> records =
        limit == 0
            ? buffer.read(READ_RECORDS, READ_BYTES)
            : buffer.read(Math.max(limit, READ_RECORDS), Portion.LARGEST_BYTES);
    if (records.isEmpty()) {
      return Duration.ZERO;
    }
    pass.start(buffer.totals().pending());
    deliver(records, limit);
    return Duration.ZERO;
  }

  /// What one step of a delivery did.
  ///
  /// @param settled how many records were delivered or rejected
  /// @param proceed whether the next record may be delivered now
  private record Step(int settled, boolean proceed) {}

  /// @param limit of batches when the records were read; 0 while they went one by one
  private void deliver(List<PendingRecord> records, int limit)
      throws InterruptedException, StorageException {
    long deadline = clock.nanos() + READ_NANOS;
    List<PendingRecord> rest = records;
    boolean proceed = true;
    while (proceed && !rest.isEmpty() && clock.nanos() - deadline < 0) {
      Step step;
      if (rest.getFirst().sound()) {
        Portion portion = batches.next(rest);
        List<PendingRecord> next = rest.subList(0, portion.requests().size());
        step =
            portion.isBatch()
                ? deliverBatch(Batch.of(next, portion, client))
                : deliver(next, portion, deadline);
      } else {
        reject(rest.getFirst(), DAMAGED_RECORD_STATUS, "the record's checksum does not match");
        step = new Step(1, true);
      }
      rest = rest.subList(step.settled(), rest.size());
      // A short rest would be a small batch: it is read again, with what comes after it.
      proceed = step.proceed() && (limit == 0 || 2 * rest.size() >= records.size());
    }
  }

  private Step deliver(List<PendingRecord> records, Portion portion, long deadline)
      throws InterruptedException, StorageException {
    RecordDelivery delivery = new RecordDelivery(records, deadline, clock, metrics);
    try {
      client.deliver(portion.requests(), delivery);
    } finally {
      // Also when interrupted: a record that the server has accepted must not be sent again.
      finish(delivery);
    }
    boolean proceed = handle(delivery.outcome(), delivery.last());
    return new Step(delivery.responses(), proceed);
  }

  /// Counts the attempt and acknowledges the delivered records.
  private void finish(RecordDelivery delivery) throws InterruptedException, StorageException {
    if (delivery.responses() > 0) {
      countAttempt(delivery.last().id());
    }
    if (delivery.deliveredId() != 0) {
      poisonPolicy.accepted(delivery.deliveredId(), delivery.deliveredNanos());
      backoff.reset();
      commits.acknowledge(delivery.delivered(), delivery.deliveredId());
    }
  }

  /// Handles `outcome`, that of the last response of a delivery.
  ///
  /// @return whether the next record may be delivered now
  private boolean handle(DeliveryOutcome outcome, PendingRecord record)
      throws InterruptedException, StorageException {
    return switch (outcome) {
      case DeliveryOutcome.Delivered() -> true;
      case DeliveryOutcome.Unavailable unavailable -> {
        suspend(unavailable);
        yield false;
      }
      case DeliveryOutcome.Rejected rejected -> {
        poisonPolicy.endStreak();
        reject(record, rejected.status(), rejected.response());
        backoff.reset();
        yield true;
      }
      case DeliveryOutcome.Doubtful doubtful -> {
        if (!poisonPolicy.shouldReject(record.id(), doubtful.status())) {
          nextAttemptNanos = clock.nanos() + backoff.next(doubtful.retryAfter()).toNanos();
          yield false;
        }
        reject(record, doubtful.status(), doubtful.response());
        backoff.reset();
        yield true;
      }
    };
  }

  /// Delivers the batch and settles what the server decided, while the next one is read; closes it.
  private Step deliverBatch(Batch batch) throws InterruptedException, StorageException {
    boolean settled = false;
    try (batch) {
      readAhead.start(batch);
      Step step = deliverAndSettle(batch);
      settled = step.settled() > 0;
      return step;
    } finally {
      readAhead.await();
      if (!settled) {
        readAhead.drop();
      }
    }
  }

  private Step deliverAndSettle(Batch batch) throws InterruptedException, StorageException {
    long start = clock.nanos();
    ServerResponse response = batch.encoded().deliver();
    long end = clock.nanos();
    List<PendingRecord> records = batch.records();
    countAttempt(records.getFirst().id());
    metrics.attempted(end - start);
    BatchOutcome outcome = BatchOutcome.of(response, records.size());
    metrics.batchEnded(outcome);
    long lastId = records.getLast().id();
    switch (outcome) {
      case BatchOutcome.Settled(BatchAnswer answer) -> {
        batches.settled(records.size(), end - start);
        settle(records, answer, end);
        return new Step(records.size(), true);
      }
      case BatchOutcome.Unavailable(DeliveryOutcome.Unavailable cause) -> {
        batches.unavailable();
        suspend(cause);
        return new Step(0, false);
      }
      case BatchOutcome.Unreadable(String reason) -> {
        poisonPolicy.endStreak();
        if (batches.unreadable(reason)) {
          metrics.batchesSuspended();
        }
      }
      case BatchOutcome.TooLarge() -> {
        poisonPolicy.endStreak();
        batches.tooLarge(records.size(), lastId);
      }
      // Does not end a streak: the same server may answer each batch so, between the records.
      case BatchOutcome.Refused(int status) -> batches.refused(status, lastId);
    }
    return new Step(0, true);
  }

  private void settle(List<PendingRecord> records, BatchAnswer answer, long endNanos)
      throws InterruptedException, StorageException {
    List<Rejection> rejections = new ArrayList<>(answer.errors().size());
    long deliveredId = 0;
    int line = 0;
    for (PendingRecord record : records) {
      line++;
      if (rejections.size() < answer.errors().size()
          && answer.errors().get(rejections.size()).line() == line) {
        BatchAnswer.LineError error = answer.errors().get(rejections.size());
        rejections.add(commits.rejection(record, error.status(), error.text(), headAttempts));
      } else {
        metrics.delivered(record.content().jsonData().length);
        deliveredId = record.id();
      }
    }
    metrics.batchSettled(records.size());
    if (deliveredId == 0) {
      poisonPolicy.endStreak();
    } else {
      poisonPolicy.accepted(deliveredId, endNanos);
    }
    backoff.reset();
    commits.settle(records.size(), new Settlement(records.getLast().id(), rejections));
  }

  private void countAttempt(long id) {
    if (headId != id) {
      headId = id;
      headAttempts = 0;
    }
    headAttempts++;
  }

  private void reject(PendingRecord record, int status, String response)
      throws InterruptedException, StorageException {
    int attempts = headId == record.id() ? headAttempts : 0;
    commits.reject(commits.rejection(record, status, response, attempts));
  }

  private void suspend(DeliveryOutcome.Unavailable unavailable) {
    poisonPolicy.endStreak();
    pass.suspend();
    Duration pause = backoff.next(unavailable.retryAfter());
    Events.info(
        EventNames.REPLAY_SUSPENDED,
        "reason",
        unavailable.reason(),
        "pause_ms",
        pause.toMillis(),
        "pending",
        buffer.totals().pending());
    serverState.reportUnavailable(pause, unavailable.reason());
  }
}
