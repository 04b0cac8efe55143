package com.datanadhi.echopost.ingest;

import com.datanadhi.echopost.ingest.Refusal.Reason;
import com.datanadhi.echopost.metrics.Counter;
import com.datanadhi.echopost.metrics.Exposition;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/// Counts the records that were refused, by reason. Counts on the event loop; any thread may read.
final class RefusalMetrics {
  private final Map<Reason, Counter> counters = new EnumMap<>(Reason.class);

  RefusalMetrics() {
    for (Reason reason : Reason.values()) {
      counters.put(reason, new Counter());
    }
  }

  void count(Reason reason) {
    Objects.requireNonNull(counters.get(reason)).add(1);
  }

  void writeTo(Exposition out) {
    out.counters("echopost_refused_records_total", "Records that ingest refused, by reason.");
    counters.forEach(
        (reason, counter) -> out.sample(counter.value(), "reason", Exposition.lowerCase(reason)));
  }
}
