package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.DeliveryFailure.Kind;
import com.datanadhi.sdk.EchoPostState;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.internal.listener.FailureReports;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.queue.Outstanding;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** Counts the outcomes of all submitted records. Thread-safe, without locks. */
public final class RecordCounts {
  /** The reason for a file of records that the main server has rejected. */
  static final String REJECTED = "primary_failed";

  private final LongAdder submitted = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder filtered = new LongAdder();
  private final LongAdder withheld = new LongAdder();
  private final LongAdder lost = new LongAdder();
  private final LongAdder replacedValues = new LongAdder();
  private final LongAdder truncated = new LongAdder();
  private final LongAdder redelivered = new LongAdder();
  private final LongAdder expired = new LongAdder();
  private final LongAdder toMainServer = new LongAdder();
  private final LongAdder toEchoPost = new LongAdder();
  private final LongAdder toFallback = new LongAdder();
  private final Map<String, LongAdder> dropped = new ConcurrentHashMap<>();
  private final Outstanding outstanding = new Outstanding();
  private final FailureReports failures;
  private volatile String lastWithheld = "";

  /** Reports those that are failures. */
  public RecordCounts(FailureReports failures) {
    this.failures = failures;
  }

  /**
   * A record is about to be offered to the queue. It counts as outstanding from now on, so that a
   * worker cannot deliver it before it is counted.
   */
  public void countOffered(OutgoingRecord record) {
    outstanding.add(record);
  }

  /** The queue accepted the record that was offered. */
  public void countSubmitted() {
    submitted.increment();
  }

  /** The queue refused the record that was offered. */
  public void countRefused(OutgoingRecord record, SubmitResult result) {
    refused.increment();
    settle(List.of(record));
    failures.report(
        Kind.REFUSED,
        result.name(),
        result == SubmitResult.CLOSED ? "the client is closed" : "the queue is full",
        1);
  }

  /** The hook of the application dropped a record. */
  public void countFiltered() {
    submitted.increment();
    filtered.increment();
  }

  /**
   * The hook has failed.
   *
   * @param hook the name of its class
   * @param detail for people
   */
  public void countWithheld(String hook, String detail) {
    withheld.increment();
    lastWithheld = detail;
    failures.report(Kind.WITHHELD, hook, detail, 1);
  }

  long withheld() {
    return withheld.sum();
  }

  /** Why the content of the last of them was withheld. */
  String lastWithheld() {
    return lastWithheld;
  }

  /** A submitted record differs from its payload. */
  public void countChanges(int values, boolean isTruncated) {
    replacedValues.add(values);
    if (isTruncated) {
      truncated.increment();
    }
  }

  /** Records from files were delivered. */
  void countRedelivered(int records) {
    redelivered.add(records);
  }

  /**
   * The main server has rejected records from other files, where they were counted.
   *
   * @param cause for people
   */
  void countRejectedFromFile(int records, String cause) {
    failures.report(Kind.REJECTED, REJECTED, cause, records);
  }

  /** Records were deleted with their files. */
  void countExpired(long records) {
    expired.add(records);
    failures.report(Kind.EXPIRED, "", "their files were older than dropped.max_age", records);
  }

  long refused() {
    return refused.sum();
  }

  void countDelivered(Destination destination, List<OutgoingRecord> records) {
    adder(destination).add(records.size());
    settle(records);
  }

  /**
   * The records are in a file whose name begins with {@code reason}.
   *
   * @param cause for people
   */
  public void countDropped(String reason, List<OutgoingRecord> records, String cause) {
    dropped.computeIfAbsent(reason, r -> new LongAdder()).add(records.size());
    settle(records);
    failures.report(
        reason.equals(REJECTED) ? Kind.REJECTED : Kind.KEPT_IN_FILE, reason, cause, records.size());
  }

  /** Counts all outstanding records as lost; returns how many they are. */
  public long countLost() {
    long records = outstanding.clear();
    lost.add(records);
    if (records > 0) {
      failures.report(
          Kind.LOST, "", "the client was closed, and no file could be written", records);
    }
    return records;
  }

  private void settle(List<OutgoingRecord> records) {
    for (OutgoingRecord record : records) {
      // A thread that did not end in time may still deliver a record that was counted as lost.
      if (!outstanding.settle(record)) {
        lost.decrement();
      }
    }
  }

  private LongAdder adder(Destination destination) {
    return switch (destination) {
      case MAIN_SERVER -> toMainServer;
      case ECHOPOST -> toEchoPost;
      case FALLBACK -> toFallback;
    };
  }

  /** The submitted records without an outcome. */
  public Outstanding outstanding() {
    return outstanding;
  }

  /** The counts as the public API shows them. */
  public Counters snapshot(int queueDepth, long queueBytes, EchoPostState echoPost) {
    Map<String, Long> byReason = new TreeMap<>();
    dropped.forEach((reason, count) -> byReason.put(reason, count.sum()));
    return new Counters(
        submitted.sum(),
        refused.sum(),
        toMainServer.sum(),
        toEchoPost.sum(),
        toFallback.sum(),
        byReason,
        filtered.sum(),
        withheld.sum(),
        lost.sum(),
        replacedValues.sum(),
        truncated.sum(),
        redelivered.sum(),
        expired.sum(),
        queueDepth,
        queueBytes,
        echoPost);
  }
}
