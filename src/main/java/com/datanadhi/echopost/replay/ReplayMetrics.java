package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.metrics.Counter;
import com.datanadhi.echopost.metrics.Exposition;
import com.datanadhi.echopost.metrics.Histogram;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/// What replay measures. Written by one thread at a time, read in any.
final class ReplayMetrics {
  private final Counter records = new Counter();
  private final Counter bytes = new Counter();
  private final Histogram attempts = Histogram.ofDurations(1, 2, 5);
  private final Map<Integer, Counter> rejected = new ConcurrentSkipListMap<>();

  long delivered() {
    return records.value();
  }

  /// An attempt came to its end, well or not, after `nanos`.
  void attempted(long nanos) {
    attempts.observe(nanos);
  }

  /// The server took a payload of `length` bytes.
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
        "Records that the main server took, repeats included.",
        records.value());
    out.counter(
        "echopost_delivered_bytes_total", "Payload of those records (json_data).", bytes.value());
    out.counters(
        "echopost_rejected_records_total",
        "Records put into the table rejected, by the HTTP status of the last answer; 0 for a record"
            + " that was found damaged.");
    rejected.forEach(
        (status, counter) -> out.sample(counter.value(), "status", Integer.toString(status)));
    out.histogram(
        "echopost_delivery_duration_seconds",
        "How long an attempt to deliver a record took, until its answer or the lack of one.",
        attempts);
  }
}
