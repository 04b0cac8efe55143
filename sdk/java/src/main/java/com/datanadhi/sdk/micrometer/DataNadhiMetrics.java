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
 * Exports the {@link Counters} of a client to Micrometer. The counters are {@code
 * datanadhi.records.submitted}, {@code .refused}, {@code .delivered} (tag {@code way}), {@code
 * .dropped} (tag {@code reason}), {@code .lost}, {@code .truncated}, {@code .replaced_values},
 * {@code .redelivered} and {@code .expired}. The gauges are {@code datanadhi.queue.depth}, {@code
 * datanadhi.queue.bytes} and {@code datanadhi.echopost}, which is 1 for the current {@code status}
 * and 0 for the others. Each meter has the tag {@code directory}.
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

  /** The metrics of {@code client}, which the meters keep a reference to. */
  public DataNadhiMetrics(DataNadhi client) {
    this.client = client;
    this.tags = Tags.of("directory", client.configuration().directory().toString());
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    counter(registry, "submitted", Tags.empty(), Counters::submitted);
    counter(registry, "refused", Tags.empty(), Counters::refused);
    counter(registry, "lost", Tags.empty(), Counters::lost);
    counter(registry, "truncated", Tags.empty(), Counters::truncated);
    counter(registry, "replaced_values", Tags.empty(), Counters::replacedValues);
    counter(registry, "redelivered", Tags.empty(), Counters::redelivered);
    counter(registry, "expired", Tags.empty(), Counters::expired);
    counter(registry, "delivered", wayTag("main_server"), Counters::deliveredToMainServer);
    counter(registry, "delivered", wayTag("echopost"), Counters::deliveredToEchoPost);
    counter(registry, "delivered", wayTag("fallback"), Counters::deliveredToFallback);
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
    Gauge.builder("datanadhi.queue.bytes", client, c -> c.counters().queueBytes())
        .tags(tags)
        .description("The memory that records without an outcome occupy")
        .baseUnit("bytes")
        .register(registry);
    for (EchoPostState.Status status : EchoPostState.Status.values()) {
      Gauge.builder(
              "datanadhi.echopost", client, c -> c.counters().echoPost().status() == status ? 1 : 0)
          .tags(tags.and("status", status.name()))
          .description("1 for the current status of EchoPost, else 0")
          .register(registry);
    }
  }

  private static Tags wayTag(String name) {
    return Tags.of("way", name);
  }

  private void counter(
      MeterRegistry registry, String name, Tags extraTags, ToDoubleFunction<Counters> value) {
    FunctionCounter.builder(
            "datanadhi.records." + name, client, c -> value.applyAsDouble(c.counters()))
        .tags(tags.and(extraTags))
        .register(registry);
  }
}
