package com.datanadhi.sdk.micrometer;

import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.EchoPostState;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * A client's {@link Counters} as meters: {@code datanadhi.records.submitted}, {@code .refused},
 * {@code .delivered} by {@code way}, {@code .dropped} by {@code reason}, {@code .lost}; {@code
 * datanadhi.queue.depth}; {@code datanadhi.echopost}, 1 for the {@code status} that it has.
 */
public final class DataNadhiMetrics implements MeterBinder {
  private static final List<String> REASONS =
      List.of(
          "primary_failed",
          "fallback_failed",
          "drain_worker_failed",
          "echopost_failed",
          "too_large",
          "undeliverable",
          "queue_full",
          "exit");

  private final DataNadhi client;
  private final Tags tags;

  /** For {@code client}; the meters keep it. */
  public DataNadhiMetrics(DataNadhi client) {
    this.client = client;
    this.tags = Tags.of("directory", client.configuration().directory().toString());
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    counter(registry, "submitted", Tags.empty(), Counters::submitted);
    counter(registry, "refused", Tags.empty(), Counters::refused);
    counter(registry, "lost", Tags.empty(), Counters::lost);
    counter(registry, "delivered", way("main_server"), Counters::deliveredToMainServer);
    counter(registry, "delivered", way("echopost"), Counters::deliveredToEchoPost);
    counter(registry, "delivered", way("fallback"), Counters::deliveredToFallback);
    for (String reason : REASONS) {
      counter(
          registry,
          "dropped",
          Tags.of("reason", reason),
          counters -> counters.dropped().getOrDefault(reason, 0L));
    }
    Gauge.builder("datanadhi.queue.depth", client, c -> c.counters().queueDepth())
        .tags(tags)
        .description("Records that wait in memory")
        .register(registry);
    for (EchoPostState.Status status : EchoPostState.Status.values()) {
      Gauge.builder(
              "datanadhi.echopost", client, c -> c.counters().echoPost().status() == status ? 1 : 0)
          .tags(tags.and("status", status.name()))
          .description("1 for the status that EchoPost has")
          .register(registry);
    }
  }

  private static Tags way(String name) {
    return Tags.of("way", name);
  }

  private void counter(
      MeterRegistry registry, String name, Tags more, ToDoubleFunction<Counters> value) {
    FunctionCounter.builder(
            "datanadhi.records." + name, client, c -> value.applyAsDouble(c.counters()))
        .tags(tags.and(more))
        .register(registry);
  }
}
