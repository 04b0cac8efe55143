package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.metrics.Counter;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.metrics.Histogram;
import com.datanadhi.echopost.record.NewRecord;

/// The metrics of the writer's own work. The writer thread writes them, any thread reads them.
final class WriterMetrics {
  private static final int LARGEST_BATCH = 4_096;
  private static final double P99 = 0.99;

  private final Counter records = new Counter();
  private final Counter bytes = new Counter();
  private final Histogram commits = Histogram.ofDurations(1, 2, 5);
  private final Histogram batches = Histogram.ofNumbers(LARGEST_BATCH);
  private final Histogram appends = Histogram.ofDurations(1, 1.5, 2, 3, 5, 7);

  /// The number of records of clients that were stored.
  long records() {
    return records.value();
  }

  /// Counts a transaction that is on stable storage.
  ///
  /// @param stored how many new records it stored
  void committed(int stored, long nanos) {
    commits.observe(nanos);
    if (stored > 0) {
      batches.observe(stored);
      records.add(stored);
    }
  }

  /// Counts one of its records, which was queued `nanos` before.
  void stored(NewRecord record, long nanos) {
    bytes.add(record.jsonData().length);
    appends.observe(nanos);
  }

  void writeTo(Exposition out) {
    out.counter(
        "echopost_accepted_records_total",
        "Records of clients that are on stable storage.",
        records.value());
    out.counter(
        "echopost_accepted_bytes_total", "Payload of those records (json_data).", bytes.value());
    out.histogram(
        "echopost_commit_duration_seconds",
        "How long a transaction took, with its fsync.",
        commits);
    out.histogram(
        "echopost_commit_batch_records",
        "New records per transaction, without transactions that store none.",
        batches);
    out.histogram(
        "echopost_append_latency_seconds",
        "Time from the complete arrival of a record until it is on stable storage.",
        appends);
    out.gauge(
        "echopost_append_latency_p99_seconds",
        "The 99th percentile of that latency over this run; NaN before the first record.",
        appends.quantile(P99));
  }
}
