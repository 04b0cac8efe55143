package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.metrics.Counter;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.metrics.Histogram;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/// Replay's metrics. Written by one thread at a time, read by any.
final class ReplayMetrics {
  private final Counter records = new Counter();
  private final Counter bytes = new Counter();
  private final Histogram attempts = Histogram.ofDurations(1, 2, 5);
  private final Map<Integer, Counter> rejected = new ConcurrentSkipListMap<>();
  private final Histogram batchRecords = Histogram.ofNumbers(BatchSize.LARGEST);
  private final Counter unavailableBatches = new Counter();
  private final Counter tooLargeBatches = new Counter();
  private final Counter refusedBatches = new Counter();
  private final Counter unreadableBatches = new Counter();
  private final Counter suspensions = new Counter();

  long delivered() {
    return records.value();
  }

  /// Counts an attempt that ended, with or without success, after `nanos`.
  void attempted(long nanos) {
    attempts.observe(nanos);
  }

  /// Counts a delivered payload of `length` bytes.
  void delivered(int length) {
    records.add(1);
    bytes.add(length);
  }

  void rejected(int status) {
    rejected.computeIfAbsent(status, first -> new Counter()).add(1);
  }

  /// Counts a batch that ended. A settled one is counted by [#batchSettled] too.
  void batchEnded(BatchOutcome outcome) {
    switch (outcome) {
      case BatchOutcome.Settled _ -> {}
      case BatchOutcome.Unavailable _ -> unavailableBatches.add(1);
      case BatchOutcome.TooLarge _ -> tooLargeBatches.add(1);
      case BatchOutcome.Refused _ -> refusedBatches.add(1);
      case BatchOutcome.Unreadable _ -> unreadableBatches.add(1);
    }
  }

  /// Counts a batch of `size` records about which the server has decided.
  void batchSettled(int size) {
    batchRecords.observe(size);
  }

  /// Counts a change to one by one, after unreadable answers.
  void batchesSuspended() {
    suspensions.add(1);
  }

  void writeTo(Exposition out) {
    out.counter(
        "echopost_delivered_records_total",
        "Records that the main server accepted, repeated deliveries included.",
        records.value());
    out.counter(
        "echopost_delivered_bytes_total",
        "Payload bytes (json_data) of these records.",
        bytes.value());
    out.counters(
        "echopost_rejected_records_total",
        "Records moved to the table rejected, by the HTTP status of the last response; 0 for a"
            + " record with a wrong checksum.");
    rejected.forEach(
        (status, counter) -> out.sample(counter.value(), "status", Integer.toString(status)));
    out.histogram(
        "echopost_delivery_duration_seconds",
        "Time of an attempt to deliver a record or a batch, until its response, failure or"
            + " timeout.",
        attempts);
    out.histogram(
        "echopost_batch_records",
        "Records of each batch that the main server accepted or rejected record by record.",
        batchRecords);
    out.counters(
        "echopost_failed_batches_total",
        "Batches of which no record counted, by reason: unavailable, too_large, refused (the"
            + " records went one by one), unreadable (the answer could not be used).");
    out.sample(unavailableBatches.value(), "reason", "unavailable");
    out.sample(tooLargeBatches.value(), "reason", "too_large");
    out.sample(refusedBatches.value(), "reason", "refused");
    out.sample(unreadableBatches.value(), "reason", "unreadable");
    out.counter(
        "echopost_batch_suspensions_total",
        "Changes to one record a request until the next probe, each after three unreadable answers"
            + " to batches in a row.",
        suspensions.value());
  }
}
