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

/// The replay sibling: delivers what is pending, in order, one record at a time.
///
/// It reads a batch, delivers record by record, and acknowledges the delivered prefix in one
/// transaction. At the first record that cannot be delivered now it acknowledges what was, and
/// waits: for the server, or for the record's next attempt. A crash therefore repeats at most the
/// unacknowledged part of one batch, under the same idempotency keys. A batch ends early after a
/// second, so that a slow server does not make that part long.
public final class Replay {
  static final int BATCH_RECORDS = 256;
  static final long BATCH_BYTES = 1 << 20;
  private static final long BATCH_NANOS = 1_000_000_000;
  private static final int RESPONSE_CHARS = 1 << 10;
  private static final Duration IDLE = Duration.ofMinutes(1);
  private static final Duration SETTLE_AGAIN = Duration.ofSeconds(1);
  private static final int CHECKSUM_STATUS = 0;

  /// Where the records go.
  public interface Upstream {
    /// Delivers in order, each record once the one before is answered, until `goOn`, which hears
    /// each answer, has had enough. `goOn` does not block, may be called on another thread, and is
    /// not called any more once this has returned.
    void deliver(List<DeliveryRequest> deliveries, Predicate<ServerResponse> goOn)
        throws InterruptedException;
  }

  private final Buffer buffer;
  private final Upstream upstream;
  private final ServerState server;
  private final Clock clock;
  private final Waiter waiter;
  private final Backoff backoff;
  private final PoisonPolicy doubt;
  private final ReplayMetrics measures = new ReplayMetrics();

  // The record at the head of the line.
  private long headId = -1;
  private int headAttempts;
  private long nextAttemptNanos;

  // The pass since the server came back, for the log: later records that trickle in get no lines of
  // their own.
  private enum Pass {
    NONE,
    UNDER_WAY,
    COMPLETE
  }

  private Pass pass = Pass.NONE;
  private long passStart;
  private long passDelivered;
  private long passRejected;

  /// @param waiter woken when there is something new to deliver
  public Replay(
      Buffer buffer,
      Upstream upstream,
      ServerState server,
      Clock clock,
      Waiter waiter,
      RandomGenerator random) {
    this.buffer = buffer;
    this.upstream = upstream;
    this.server = server;
    this.clock = clock;
    this.waiter = waiter;
    this.backoff = new Backoff(random);
    this.doubt = new PoisonPolicy(clock);
    this.nextAttemptNanos = clock.nanos();
  }

  /// How many records the server has taken in this run. Any thread.
  public long delivered() {
    return measures.delivered();
  }

  /// Writes what replay measures. Any thread.
  public void writeTo(Exposition out) {
    measures.writeTo(out);
  }

  /// Replays until interrupted.
  public void run() throws InterruptedException, StorageException {
    while (true) {
      waiter.await(turn());
    }
  }

  /// Does one step: delivers at most one batch, if the server is well and no attempt has to wait.
  ///
  /// @return how long to wait before the next turn, unless woken
  Duration turn() throws InterruptedException, StorageException {
    try {
      // Also while the server is down: what was damaged is put in order before anything goes out.
      buffer.salvage();
      return replayTurn();
    } catch (StorageException failed) {
      if (failed.isTransient()) {
        return SETTLE_AGAIN;
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
    if (server.health() != ServerHealth.UP) {
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
    beginPass();
    deliver(batch);
    return Duration.ZERO;
  }

  private void deliver(List<PendingRecord> batch) throws InterruptedException, StorageException {
    long deadline = clock.nanos() + BATCH_NANOS;
    List<PendingRecord> rest = batch;
    boolean goesOn = true;
    while (goesOn && !rest.isEmpty() && clock.nanos() - deadline < 0) {
      PendingRecord head = rest.getFirst();
      if (head.sound()) {
        Run run = new Run(soundPrefix(rest), deadline);
        try {
          upstream.deliver(run.deliveries(), run);
        } finally {
          // Also when interrupted: what the server has must not be sent again for want of a
          // moment.
          acknowledge(run.delivered);
        }
        goesOn = settle(run);
        rest = rest.subList(run.answered, rest.size());
      } else {
        reject(head, CHECKSUM_STATUS, "the record's checksum does not match");
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

  /// Deals with the answer that ended a run, if it was no success.
  ///
  /// @return whether the next record may be delivered now
  private boolean settle(Run run) throws InterruptedException, StorageException {
    return switch (run.verdict) {
      case DeliveryOutcome.Delivered() -> true;
      case DeliveryOutcome.Unavailable unavailable -> {
        doubt.endRun();
        suspend(unavailable);
        yield false;
      }
      case DeliveryOutcome.Refused refused -> {
        doubt.endRun();
        reject(run.last, refused.status(), refused.response());
        backoff.reset();
        yield true;
      }
      case DeliveryOutcome.Doubtful doubtful -> {
        if (!doubt.givesUp(run.last.id(), doubtful.status())) {
          nextAttemptNanos = clock.nanos() + backoff.next(doubtful.retryAfter()).toNanos();
          yield false;
        }
        reject(run.last, doubtful.status(), doubtful.response());
        backoff.reset();
        yield true;
      }
    };
  }

  /// Records that go out one after the other, up to the first that is not delivered. It hears the
  /// answers on another thread while the replaying one waits.
  private final class Run implements Predicate<ServerResponse> {
    private final List<PendingRecord> records;
    private final long deadlineNanos;
    private PendingRecord last;
    private DeliveryOutcome verdict = new DeliveryOutcome.Delivered();
    private int answered;
    private long delivered;
    private long sinceNanos = clock.nanos();

    Run(List<PendingRecord> records, long deadlineNanos) {
      this.records = records;
      this.deadlineNanos = deadlineNanos;
      this.last = records.getFirst();
    }

    List<DeliveryRequest> deliveries() {
      return records.stream()
          .map(record -> {
            NewRecord content = record.content();
            return new DeliveryRequest(
                content.pipelines(), content.jsonData(), content.apiKey(), record.idempotencyKey());
          })
          .toList();
    }

    @Override
    public boolean test(ServerResponse answer) {
      long now = clock.nanos();
      measures.attempted(now - sinceNanos);
      sinceNanos = now;
      last = records.get(answered++);
      countAttempt(last.id());
      verdict = DeliveryOutcome.of(answer);
      if (!(verdict instanceof DeliveryOutcome.Delivered)) {
        return false;
      }
      delivered = last.id();
      passDelivered++;
      measures.delivered(last.content().jsonData().length);
      doubt.accepted(last.id());
      backoff.reset();
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

  private void acknowledge(long delivered) throws InterruptedException, StorageException {
    if (delivered != 0) {
      boolean interrupted = Thread.interrupted();
      try {
        untilItFits(() -> buffer.acknowledge(delivered));
      } finally {
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  private void reject(PendingRecord record, int status, String response)
      throws InterruptedException, StorageException {
    int attempts = headId == record.id() ? headAttempts : 0;
    String start = response.substring(0, Math.min(response.length(), RESPONSE_CHARS));
    Rejection rejection = new Rejection(record, status, start, attempts, clock.millis());
    untilItFits(() -> buffer.reject(rejection));
    passRejected++;
    measures.rejected(status);
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
        "see the table 'rejected' for the record and the server's answer");
  }

  private interface Settlement {
    void commit() throws InterruptedException, StorageException;
  }

  /// A full disk or a foreign lock passes: what the server has said is committed then, not asked
  /// for again.
  private void untilItFits(Settlement settlement) throws InterruptedException, StorageException {
    while (true) {
      try {
        settlement.commit();
        return;
      } catch (StorageException failed) {
        if (!failed.isTransient()) {
          throw failed;
        }
        Events.warning(EventNames.ACKNOWLEDGE_DELAYED, "reason", failed.getMessage());
        waiter.await(SETTLE_AGAIN);
      }
    }
  }

  private void suspend(DeliveryOutcome.Unavailable unavailable) {
    pass = Pass.NONE;
    Duration pause = backoff.next(unavailable.retryAfter());
    Events.info(
        EventNames.REPLAY_SUSPENDED,
        "reason",
        unavailable.reason(),
        "pause_ms",
        pause.toMillis(),
        "pending",
        buffer.totals().pending());
    server.reportUnavailable(pause, unavailable.reason());
  }

  private void beginPass() {
    if (pass == Pass.NONE) {
      pass = Pass.UNDER_WAY;
      passStart = clock.nanos();
      passDelivered = 0;
      passRejected = 0;
      Events.info(EventNames.REPLAY_STARTED, "pending", buffer.totals().pending());
    }
  }

  private void completePass() {
    if (pass == Pass.UNDER_WAY) {
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
