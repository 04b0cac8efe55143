package com.datanadhi.hub.metrics;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class HubMetricsTest {
  private final HubMetrics metrics = new HubMetrics();

  private String text() {
    return new String(metrics.text("").bytes(), UTF_8);
  }

  @Test
  void a_value_of_several_metrics_is_asked_for_once_for_an_exposition() {
    AtomicInteger asked = new AtomicInteger();
    Supplier<Integer> value = metrics.once(asked::incrementAndGet);
    metrics.gauge("first", "First.", value::get);
    metrics.counter("second", "Second.", value::get);

    assertThat(text()).contains("first 1.0", "second_total 1.0");
    assertThat(text()).contains("first 2.0", "second_total 2.0");
    assertThat(value.get()).isEqualTo(3);
  }

  @Test
  void commits_are_counted_by_their_time_in_seconds() {
    metrics.committed(20_000_000);

    assertThat(text())
        .contains(
            "hub_sqlite_commit_seconds_bucket{le=\"0.01\"} 0",
            "hub_sqlite_commit_seconds_bucket{le=\"0.025\"} 1",
            "hub_sqlite_commit_seconds_sum 0.02");
  }
}
