package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.buffer.AppendRequest;
import com.datanadhi.echopost.buffer.Buffer;
import com.datanadhi.echopost.record.NewRecord;
import com.datanadhi.echopost.record.RecordRules;
import com.datanadhi.echopost.time.AdaptiveSpin;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.json.JsonValidator;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// Validates records, appends them to the buffer and answers their calls.
///
/// One event loop passes on the records of all connections, and the order in which it does so is
/// the arrival order. The records read in one iteration of the event loop, a round, are appended
/// together. Confined to that loop, except that completed rounds come from the buffer's writer,
/// through a concurrent queue.
final class RecordIntake {
  /// With this many records and an idle writer, a round is appended at once, so that the commit
  /// overlaps with reading. A lower number costs more time in commits than it saves
  /// (docs/performance-log.md).
  private static final int EARLY_RECORDS = 64;

  /// A round ends at this size, so that one commit covers it.
  private static final int MAX_ROUND_RECORDS = 1_024;

  private static final long MAX_ROUND_BYTES = 1L << 20;

  /// The records read in one iteration of the event loop, or a part of them.
  private final class Round implements AppendRequest {
    private final List<SendLogCall> calls = new ArrayList<>();
    private final List<NewRecord> records = new ArrayList<>();
    private long bytes;

    void add(SendLogCall call) {
      calls.add(call);
      records.add(call.record());
      bytes += call.record().size();
    }

    @Override
    public List<NewRecord> records() {
      return records;
    }

    @Override
    public void completed(Outcome outcome) {
      RecordIntake.this.completed(this, outcome);
    }
  }

  private record CompletedRound(Round round, AppendRequest.Outcome outcome) {}

  private final EventLoop loop;
  private final Availability availability;
  private final BackPressure pressure;
  private final AdaptiveSpin spin;
  private final Clock clock;
  private final ArrivalIntervals intervals;
  // Valid records that are not appended yet.
  private Round round = new Round();

  // Filled by the buffer's writer, emptied on the loop. `answering` is true while the loop has a
  // task for it, so that one wake-up serves all rounds that one commit covers.
  private final ConcurrentLinkedQueue<CompletedRound> completed = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean answering = new AtomicBoolean();

  RecordIntake(
      EventLoop loop,
      Availability availability,
      BackPressure pressure,
      AdaptiveSpin spin,
      Clock clock) {
    this.loop = loop;
    this.availability = availability;
    this.pressure = pressure;
    this.spin = spin;
    this.clock = clock;
    this.intervals = new ArrivalIntervals(clock.nanos());
  }

  /// The intervals between records. Any thread.
  ArrivalIntervals intervals() {
    return intervals;
  }

  /// Takes the next call in arrival order, whose request is complete: appends its record, or
  /// refuses it.
  void accept(SendLogCall call) {
    intervals.recordAt(clock.nanos());
    @Nullable Refusal refusal = refusal(call);
    if (refusal != null) {
      call.refuse(refusal);
      return;
    }
    if (round.records.isEmpty()) {
      // Runs after what can be read now, which a busy writer commits at once.
      loop.execute(this::append);
    }
    round.add(call);
    if ((round.records.size() >= EARLY_RECORDS && availability.buffer().waitingRecords() == 0)
        || round.records.size() >= MAX_ROUND_RECORDS
        || round.bytes >= MAX_ROUND_BYTES) {
      append();
    }
    pressure.accepted(round.records.size(), round.bytes);
  }

  private void append() {
    if (round.records.isEmpty()) {
      // They were appended before the end of the round.
      return;
    }
    Buffer buffer = availability.buffer();
    buffer.append(round);
    round = new Round();
    spin.beginWait(buffer.waitingRecords() == 1);
  }

  // ---- validation

  private @Nullable Refusal refusal(SendLogCall call) {
    @Nullable Refusal stopping = availability.refusalWhileStopping();
    if (stopping != null) {
      return stopping;
    }
    long shortage = availability.buffer().shortage();
    if (shortage != 0) {
      return Refusal.diskFull(
          "the disk is full: "
              + (shortage + (1 << 20) - 1) / (1 << 20)
              + " MiB more must be free before records are accepted again");
    }
    if (pressure.isRefusing()) {
      return Refusal.overloaded(
          "no commit has ended for 5 s and the memory for records is full: send it again later");
    }
    @Nullable SendLogRequest request = call.request();
    // A switch by type would be compiled at run time for the first record of each run
    // (docs/performance-log.md).
    if (request instanceof SendLogRequest.Message message) {
      return refusal(call, message);
    }
    if (request instanceof SendLogRequest.Malformed(String why)) {
      return Refusal.invalid(why);
    }
    return request instanceof SendLogRequest.TooLarge(String why)
        ? Refusal.tooLarge(why)
        : Refusal.invalid("the call carried no LogRequest");
  }

  private @Nullable Refusal refusal(SendLogCall call, SendLogRequest.Message message) {
    if (message.jsonData().length > RecordRules.MAX_JSON_BYTES) {
      return Refusal.tooLarge(
          "json_data is "
              + message.jsonData().length
              + " bytes long, the limit is "
              + RecordRules.MAX_JSON_BYTES);
    }
    @Nullable String problem = JsonValidator.problem(message.jsonData());
    if (problem != null) {
      return Refusal.invalid("json_data is not JSON: " + problem);
    }
    if (!RecordRules.isHeaderValue(message.apiKey())) {
      return Refusal.invalid(
          "api_key cannot be sent as an HTTP header: remove line breaks and control characters");
    }
    call.hold(
        new NewRecord(
            clock.millis(),
            message.jsonData(),
            message.pipelines(),
            message.apiKey(),
            call.origin()));
    return null;
  }

  // ---- responses

  /// The buffer's writer has committed a round, or failed to. Any thread.
  private void completed(Round done, AppendRequest.Outcome outcome) {
    completed.add(new CompletedRound(done, outcome));
    if (answering.compareAndSet(false, true)) {
      try {
        loop.execute(this::answerCompleted);
      } catch (RejectedExecutionException _) {
        // The loop has ended, and with it every connection: there is no client to answer.
        return;
      }
    }
  }

  private void answerCompleted() {
    spin.endWait();
    // Reset before the queue is emptied, so that a round added after that gets another task.
    answering.set(false);
    for (CompletedRound next = completed.poll(); next != null; next = completed.poll()) {
      for (SendLogCall call : next.round().calls) {
        call.answer(next.outcome());
      }
    }
    pressure.completed();
  }
}
