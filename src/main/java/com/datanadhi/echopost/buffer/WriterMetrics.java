package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.metrics.Counter;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.metrics.Histogram;
import com.datanadhi.echopost.record.NewRecord;

/// What the one writer measures of its own work. Written in its thread, read in any.
final class WriterMetrics {
  private static final int LARGEST_BATCH = 4_096;
  private static final double P99 = 0.99;

  private final Counter records = new Counter();
  private final Counter bytes = new Counter();
  private final Histogram commits = Histogram.ofDurations(1, 2, 5);
  private final Histogram batches = Histogram.ofNumbers(LARGEST_BATCH);
  private final Histogram appends = Histogram.ofDurations(1, 1.5, 2, 3, 5, 7);

  /// How many records that clients sent were stored.
  long records() {
    return records.value();
  }

  /// A transaction is on stable storage.
  ///
  /// @param appended how many new records it brought
  void committed(int appended, long nanos) {
    commits.observe(nanos);
    if (appended > 0) {
      batches.observe(appended);
      records.add(appended);
    }
  }

  /// One of its records was offered `nanos` before.
  void appended(NewRecord record, long nanos) {
    bytes.add(record.jsonData().length);
    appends.observe(nanos);
  }

  void writeTo(Exposition out) {
    out.counter(
        "echopost_accepted_records_total",
        "Records taken from clients and on stable storage.",
        records.value());
    out.counter(
        "echopost_accepted_bytes_total", "Payload of those records (json_data).", bytes.value());
    out.histogram(
        "echopost_commit_duration_seconds",
        "How long a transaction took, its fsync included.",
        commits);
    out.histogram(
        "echopost_commit_batch_records",
        "How many new records one transaction brought, of those that brought any.",
        batches);
    out.histogram(
        "echopost_append_latency_seconds",
        "How long a record waited from its complete arrival until it was on stable storage.",
        appends);
    out.gauge(
        "echopost_append_latency_p99_seconds",
        "What 99 of 100 records of this run did not exceed; NaN before the first.",
        appends.quantile(P99));
  }
}
