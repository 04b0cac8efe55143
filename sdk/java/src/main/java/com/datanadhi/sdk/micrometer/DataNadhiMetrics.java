package com.datanadhi.sdk.micrometer;

import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.EchoPostState;
import com.datanadhi.sdk.internal.appender.SharedClients;
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
 * .dropped} (tag {@code reason}), {@code .filtered}, {@code .withheld}, {@code .lost}, {@code
 * .truncated}, {@code .replaced_values}, {@code .redelivered} and {@code .expired}. The gauges are
 * {@code datanadhi.queue.depth}, {@code datanadhi.queue.bytes} and {@code datanadhi.echopost},
 * which is 1 for the current {@code status} and 0 for the others. Each meter has the tag {@code
 * directory}.
 *
 * <p>If the client is the shared one of its directory and was closed, the meters are those of its
 * successor as soon as {@link DataNadhi#shared} or an appender has opened one: the counters then
 * begin at 0 again. Meters with the same names and tags in the registry, which are those of an
 * earlier client, are replaced.
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

  private final DataNadhi first;
  private final Tags tags;

  /** The metrics of {@code client}; the registry keeps a reference to it. */
  public DataNadhiMetrics(DataNadhi client) {
    this.first = client;
    this.tags = Tags.of("directory", client.configuration().directory().toString());
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    counter(registry, "submitted", Tags.empty(), Counters::submitted);
    counter(registry, "refused", Tags.empty(), Counters::refused);
    counter(registry, "filtered", Tags.empty(), Counters::filtered);
    counter(registry, "withheld", Tags.empty(), Counters::withheld);
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
    removeEarlier(registry, "datanadhi.queue.depth", tags);
    Gauge.builder("datanadhi.queue.depth", () -> current().queueDepth())
        .tags(tags)
        .description("Records that wait in memory")
        .register(registry);
    removeEarlier(registry, "datanadhi.queue.bytes", tags);
    Gauge.builder("datanadhi.queue.bytes", () -> current().queueBytes())
        .tags(tags)
        .description("The memory that records without an outcome occupy")
        .baseUnit("bytes")
        .register(registry);
    for (EchoPostState.Status status : EchoPostState.Status.values()) {
      Tags all = tags.and("status", status.name());
      removeEarlier(registry, "datanadhi.echopost", all);
      Gauge.builder("datanadhi.echopost", () -> current().echoPost().status() == status ? 1 : 0)
          .tags(all)
          .description("1 for the current status of EchoPost, else 0")
          .register(registry);
    }
  }

  private static Tags wayTag(String name) {
    return Tags.of("way", name);
  }

  private void counter(
      MeterRegistry registry, String name, Tags extraTags, ToDoubleFunction<Counters> value) {
    Tags all = tags.and(extraTags);
    removeEarlier(registry, "datanadhi.records." + name, all);
    FunctionCounter.builder(
            "datanadhi.records." + name, this, unused -> value.applyAsDouble(current()))
        .tags(all)
        .register(registry);
  }

  private Counters current() {
    return SharedClients.successor(first).counters();
  }

  private static void removeEarlier(MeterRegistry registry, String name, Tags tags) {
    registry.find(name).tags(tags).meters().forEach(registry::remove);
  }
}
