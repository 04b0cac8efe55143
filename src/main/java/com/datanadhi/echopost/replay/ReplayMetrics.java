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
        "Time of an attempt to deliver a record, until its response, failure or timeout.",
        attempts);
  }
}
