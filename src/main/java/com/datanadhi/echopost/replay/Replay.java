package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.record.Rejection;
import com.datanadhi.echopost.record.StorageException;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import com.datanadhi.echopost.upstream.DeliveryRequest;
import com.datanadhi.echopost.upstream.ServerHealth;
import com.datanadhi.echopost.upstream.ServerResponse;
import com.datanadhi.echopost.upstream.ServerState;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/// The replay loop: delivers pending records in order, one at a time.
///
/// It reads a batch, delivers its records one by one, and acknowledges the delivered prefix in one
/// transaction. At the first record that cannot be delivered now it acknowledges the prefix and
/// waits, for the server or for the record's next attempt. A crash therefore repeats at most the
/// unacknowledged part of one batch, with the same idempotency keys. A batch ends early after one
/// second, so that this part stays short when the server is slow.
///
/// [#run] belongs to one thread, the replay thread; [#delivered] and [#writeTo] may be called from
/// any.
public final class Replay {
  static final int BATCH_RECORDS = 256;
  static final long BATCH_BYTES = 1 << 20;
  private static final long BATCH_NANOS = 1_000_000_000;
  private static final int RESPONSE_CHARS = 1 << 10;
  private static final Duration IDLE = Duration.ofMinutes(1);
  private static final Duration RETRY_COMMIT = Duration.ofSeconds(1);
  private static final int DAMAGED_RECORD_STATUS = 0;

  /// Delivers records to the main server.
  public interface Upstream {
    /// Delivers in order, each record after the response to the one before, until `continueAfter`
    /// returns false. `continueAfter` takes each response, must not block and may be called on
    /// another thread; all its calls happen before this method returns or throws.
    void deliver(List<DeliveryRequest> deliveries, Predicate<ServerResponse> continueAfter)
        throws InterruptedException;
  }

  private final Buffer buffer;
  private final Upstream upstream;
  private final ServerState serverState;
  private final Clock clock;
  private final Waiter waiter;
  private final Backoff backoff;
  private final PoisonPolicy poisonPolicy;
  private final ReplayMetrics metrics = new ReplayMetrics();

  // The first pending record and its attempts so far.
  private long headId = -1;
  private int headAttempts;
  private long nextAttemptNanos;

  // One pass, for the log: from the first delivery after the server came up until nothing is
  // pending. Records that arrive later belong to no pass.
  private enum Pass {
    NOT_STARTED,
    RUNNING,
    COMPLETE
  }

  private Pass pass = Pass.NOT_STARTED;
  private long passStart;
  private long passDelivered;
  private long passRejected;

  /// @param upstream delivers the records
  /// @param serverState the main server's state, which is read, and marked DOWN after a failed
  ///   delivery
  /// @param waiter ends the loop's wait when records were stored or the server came up
  /// @param random for the jitter of the back-off
  public Replay(
      Buffer buffer,
      Upstream upstream,
      ServerState serverState,
      Clock clock,
      Waiter waiter,
      RandomGenerator random) {
    this.buffer = buffer;
    this.upstream = upstream;
    this.serverState = serverState;
    this.clock = clock;
    this.waiter = waiter;
    this.backoff = new Backoff(random);
    this.poisonPolicy = new PoisonPolicy(clock);
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
    while (true) {
      waiter.await(turn());
    }
  }

  /// Does one step: delivers at most one batch, if the server is up and no attempt has to wait.
  /// Does not sleep, except while an acknowledgement cannot be committed.
  ///
  /// @return how long to wait before the next turn, unless woken
  Duration turn() throws InterruptedException, StorageException {
    try {
      // Also while the server is down: salvaged records come before those that were stored later.
      buffer.salvage();
      return replayTurn();
    } catch (StorageException failed) {
      if (failed.isTransient()) {
        return RETRY_COMMIT;
      }
      if (failed.isCorruption() && buffer.failure() == null) {
        return Duration.ZERO;
      }
      throw failed;
    }
  }

  private Duration replayTurn() throws InterruptedException, StorageException {
    if (buffer.isDrained()) {
      completePass();
      return IDLE;
    }
    if (serverState.health() != ServerHealth.UP) {
      return IDLE;
    }
    long untilNextAttempt = nextAttemptNanos - clock.nanos();
    if (untilNextAttempt > 0) {
      return Duration.ofNanos(untilNextAttempt);
    }
    List<PendingRecord> batch = buffer.read(BATCH_RECORDS, BATCH_BYTES);
    if (batch.isEmpty()) {
      return Duration.ZERO;
    }
    startPass();
    deliver(batch);
    return Duration.ZERO;
  }

  private void deliver(List<PendingRecord> batch) throws InterruptedException, StorageException {
    long deadline = clock.nanos() + BATCH_NANOS;
    List<PendingRecord> rest = batch;
    boolean proceed = true;
    while (proceed && !rest.isEmpty() && clock.nanos() - deadline < 0) {
      PendingRecord head = rest.getFirst();
      if (head.sound()) {
        BatchDelivery delivery = new BatchDelivery(soundPrefix(rest), deadline);
        try {
          upstream.deliver(delivery.requests(), delivery);
        } finally {
          // Also when interrupted: a record that the server has accepted must not be sent again.
          finish(delivery);
        }
        proceed = handle(delivery.outcome, delivery.last);
        rest = rest.subList(delivery.responses, rest.size());
      } else {
        reject(head, DAMAGED_RECORD_STATUS, "the record's checksum does not match");
        rest = rest.subList(1, rest.size());
      }
    }
  }

  private static List<PendingRecord> soundPrefix(List<PendingRecord> records) {
    int end = 0;
    while (end < records.size() && records.get(end).sound()) {
      end++;
    }
    return records.subList(0, end);
  }

  /// Counts the attempt and acknowledges the delivered records.
  private void finish(BatchDelivery delivery) throws InterruptedException, StorageException {
    if (delivery.responses > 0) {
      countAttempt(delivery.last.id());
    }
    if (delivery.deliveredId != 0) {
      passDelivered += delivery.delivered;
      poisonPolicy.accepted(delivery.deliveredId, delivery.deliveredNanos);
      backoff.reset();
      acknowledge(delivery.deliveredId);
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
        poisonPolicy.endStreak();
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

  /// Successive records with matching checksums, delivered up to the first that the server does not
  /// accept or to the deadline. Upstream's thread calls [#test] while the replay thread waits in
  /// [Upstream#deliver]; only after that the replay thread reads the results.
  private final class BatchDelivery implements Predicate<ServerResponse> {
    private final List<PendingRecord> records;
    private final long deadlineNanos;
    private long sinceNanos = clock.nanos();

    private int responses;
    private PendingRecord last;
    private DeliveryOutcome outcome = new DeliveryOutcome.Delivered();
    private int delivered;
    private long deliveredId;
    private long deliveredNanos;

    BatchDelivery(List<PendingRecord> records, long deadlineNanos) {
      this.records = records;
      this.deadlineNanos = deadlineNanos;
      this.last = records.getFirst();
    }

    List<DeliveryRequest> requests() {
      return records.stream()
          .map(record -> {
            NewRecord content = record.content();
            return new DeliveryRequest(
                content.pipelines(), content.jsonData(), content.apiKey(), record.idempotencyKey());
          })
          .toList();
    }

    @Override
    public boolean test(ServerResponse response) {
      long now = clock.nanos();
      metrics.attempted(now - sinceNanos);
      sinceNanos = now;
      last = records.get(responses++);
      outcome = DeliveryOutcome.of(response);
      if (!(outcome instanceof DeliveryOutcome.Delivered)) {
        return false;
      }
      metrics.delivered(last.content().jsonData().length);
      delivered++;
      deliveredId = last.id();
      deliveredNanos = now;
      return now - deadlineNanos < 0;
    }
  }

  private void countAttempt(long id) {
    if (headId != id) {
      headId = id;
      headAttempts = 0;
    }
    headAttempts++;
  }

  private void acknowledge(long throughId) throws InterruptedException, StorageException {
    boolean interrupted = Thread.interrupted();
    try {
      retryWhileTransient(() -> buffer.acknowledge(throughId));
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void reject(PendingRecord record, int status, String response)
      throws InterruptedException, StorageException {
    int attempts = headId == record.id() ? headAttempts : 0;
    String start = response.substring(0, Math.min(response.length(), RESPONSE_CHARS));
    Rejection rejection = new Rejection(record, status, start, attempts, clock.millis());
    retryWhileTransient(() -> buffer.reject(rejection));
    passRejected++;
    metrics.rejected(status);
    Events.warning(
        EventNames.RECORD_REJECTED,
        "id",
        record.id(),
        "status",
        status,
        "attempts",
        attempts,
        "idempotency_key",
        record.idempotencyKey(),
        "action",
        "see the record and the server's response in the table 'rejected'");
  }

  private interface Commit {
    void run() throws InterruptedException, StorageException;
  }

  /// Retries `commit` while the disk is full or another process holds a lock: the server has
  /// already responded and must not get the records again.
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
        waiter.await(RETRY_COMMIT);
      }
    }
  }

  private void suspend(DeliveryOutcome.Unavailable unavailable) {
    pass = Pass.NOT_STARTED;
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

  private void startPass() {
    if (pass == Pass.NOT_STARTED) {
      pass = Pass.RUNNING;
      passStart = clock.nanos();
      passDelivered = 0;
      passRejected = 0;
      Events.info(EventNames.REPLAY_STARTED, "pending", buffer.totals().pending());
    }
  }

  private void completePass() {
    if (pass == Pass.RUNNING) {
      pass = Pass.COMPLETE;
      Events.info(
          EventNames.REPLAY_COMPLETED,
          "delivered",
          passDelivered,
          "rejected",
          passRejected,
          "seconds",
          (clock.nanos() - passStart) / 1e9);
    }
  }
}
