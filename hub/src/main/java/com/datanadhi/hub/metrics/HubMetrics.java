package com.datanadhi.hub.metrics;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.core.metrics.Summary;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/// The metrics of a hub. A value is read from its owner when somebody asks for the metrics, so that
/// a stuck worker cannot hide its own lag. No metric has a label for the tenant: `status` and the
/// API tell about tenants. Thread-safe.
public final class HubMetrics {
  private static final double[] SECONDS = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
  };
  private static final double[] RECORDS = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000};

  /// Stands for the exposition that is being made.
  private static final ScopedValue<Object> SCRAPE = ScopedValue.newInstance();

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final Histogram appendSeconds;
  private final Histogram batchRecords;
  private final Histogram commitSeconds;
  private final Counter requests;
  private final Histogram requestSeconds;
  private final Summary recentAppends =
      Summary.builder()
          .name("recent_append_seconds")
          .quantile(0.99, 0.001)
          .maxAgeSeconds(60)
          .numberOfAgeBuckets(6)
          .build();

  public HubMetrics() {
    this.appendSeconds =
        histogram(
            "hub_append_seconds", "Time from a request's append until it was durable.", SECONDS);
    this.batchRecords = histogram("hub_append_records", "Log records of one append.", RECORDS);
    this.commitSeconds =
        histogram("hub_sqlite_commit_seconds", "Time of a commit in SQLite.", SECONDS);
    this.requestSeconds =
        Histogram.builder()
            .name("hub_http_request_seconds")
            .help("Time from the end of a request's head to the answer.")
            .labelNames("route")
            .classicOnly()
            .classicUpperBounds(SECONDS)
            .register(registry);
    this.requests =
        Counter.builder()
            .name("hub_http_requests")
            .help("Answered requests.")
            .labelNames("route", "status")
            .register(registry);
    gauge(
        "wal_append_latency_p99",
        "The 99th percentile of the appends' latency in the last minute, in milliseconds.",
        this::appendP99Millis);
  }

  private Histogram histogram(String name, String help, double[] bounds) {
    return Histogram.builder()
        .name(name)
        .help(help)
        .classicOnly()
        .classicUpperBounds(bounds)
        .register(registry);
  }

  /// Counts an append that became durable after so long.
  public void appended(int records, long nanos) {
    double seconds = nanos / 1e9;
    batchRecords.observe(records);
    appendSeconds.observe(seconds);
    recentAppends.observe(seconds);
  }

  /// Counts a commit in SQLite that took so long.
  public void committed(long nanos) {
    commitSeconds.observe(nanos / 1e9);
  }

  /// Counts a request by its route and status.
  public void answered(String route, int status, long nanos) {
    requests.labelValues(route, Integer.toString(status)).inc();
    requestSeconds.labelValues(route).observe(nanos / 1e9);
  }

  private double appendP99Millis() {
    return recentAppends.collect().getDataPoints().stream()
        .flatMap(point -> StreamSupport.stream(point.getQuantiles().spliterator(), false))
        .mapToDouble(quantile -> quantile.getValue() * 1e3)
        .filter(Double::isFinite)
        .findFirst()
        .orElse(0);
  }

  /// A value of which several metrics are made: it is asked for once for an exposition, so that
  /// they fit each other.
  public <T> Supplier<T> once(Supplier<T> value) {
    AtomicReference<@Nullable Taken<T>> last = new AtomicReference<>();
    return () -> {
      if (!SCRAPE.isBound()) {
        return value.get();
      }
      Taken<T> taken = last.get();
      if (taken == null || !taken.scrape().equals(SCRAPE.get())) {
        taken = new Taken<>(SCRAPE.get(), value.get());
        last.set(taken);
      }
      return taken.value();
    };
  }

  private record Taken<T>(Object scrape, T value) {}

  /// Adds a gauge.
  public void gauge(String name, String help, DoubleSupplier value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(result -> result.call(value.getAsDouble()))
        .register(registry);
  }

  /// Adds a gauge with one value for each value of a label.
  public void gauges(String name, String help, String label, Supplier<Map<String, Double>> values) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames(label)
        .callback(result -> values.get().forEach((key, value) -> result.call(value, key)))
        .register(registry);
  }

  /// Adds a counter.
  ///
  /// @param name without the suffix `_total`
  public void counter(String name, String help, DoubleSupplier value) {
    CounterWithCallback.builder()
        .name(name)
        .help(help)
        .callback(result -> result.call(value.getAsDouble()))
        .register(registry);
  }

  /// Adds a counter with one value for each value of a label.
  ///
  /// @param name without the suffix `_total`
  public void counters(
      String name, String help, String label, Supplier<Map<String, Double>> values) {
    CounterWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames(label)
        .callback(result -> values.get().forEach((key, value) -> result.call(value, key)))
        .register(registry);
  }

  /// All metrics in the format that a request's `Accept` header asks for.
  ///
  /// @param accept the header, or an empty string
  public Text text(String accept) {
    boolean openMetrics = accept.contains("application/openmetrics-text");
    ExpositionFormatWriter writer =
        openMetrics ? OpenMetricsTextFormatWriter.create() : PrometheusTextFormatWriter.create();
    ByteArrayOutputStream out = new ByteArrayOutputStream(16_384);
    try {
      writer.write(out, ScopedValue.where(SCRAPE, new Object()).call(registry::scrape));
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return new Text(writer.getContentType(), out.toByteArray());
  }

  /// An exposition.
  ///
  /// @param contentType for the header
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Text(String contentType, byte[] bytes) {}
}
