package com.datanadhi.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.sdk.opentelemetry.DataNadhiLogRecordExporter;
import com.datanadhi.sdk.testkit.Agents;
import com.google.gson.JsonObject;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.KeyValue;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.data.LogRecordData;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.logs.export.SimpleLogRecordProcessor;
import io.opentelemetry.sdk.resources.Resource;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Log records of OpenTelemetry's SDK arrive at the servers. */
class OpenTelemetryExporterTest extends AbstractSdkTest {
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final String SPAN = "b7ad6b7169203331";
  private static final Resource SHOP =
      Resource.create(
          Attributes.of(
              AttributeKey.stringKey("service.name"),
              "shop",
              AttributeKey.longKey("process.pid"),
              17L));

  private enum Processor {
    SIMPLE {
      @Override
      LogRecordProcessor of(LogRecordExporter exporter) {
        return SimpleLogRecordProcessor.create(exporter);
      }
    },
    BATCH {
      @Override
      LogRecordProcessor of(LogRecordExporter exporter) {
        return BatchLogRecordProcessor.builder(exporter)
            .setScheduleDelay(Duration.ofMillis(20))
            .build();
      }
    };

    abstract LogRecordProcessor of(LogRecordExporter exporter);
  }

  private static LogRecordExporter exporter(DataNadhi client) {
    return DataNadhiLogRecordExporter.builder(client).pipelines(PIPELINES).build();
  }

  private SdkLoggerProvider provider(Processor processor, LogRecordExporter exporter) {
    return closeAfterTest(
        SdkLoggerProvider.builder()
            .setResource(SHOP)
            .addLogRecordProcessor(processor.of(exporter))
            .build());
  }

  private static void emit(SdkLoggerProvider provider, int from, int to) {
    Logger logger = provider.get("shop.Checkout");
    for (int seq = from; seq < to; seq++) {
      logger
          .logRecordBuilder()
          .setBody(Value.of("event"))
          .setAttribute(AttributeKey.longKey("seq"), (long) seq)
          .emit();
    }
  }

  private static List<Integer> contextSeqs(List<com.datanadhi.sdk.testkit.LogServer.Delivery> all) {
    return all.stream()
        .map(d -> d.body().getAsJsonObject("log_data").getAsJsonObject("context"))
        .map(context -> context.get("seq").getAsInt())
        .distinct()
        .sorted()
        .toList();
  }

  /** Passes the record on to the client, which delivers it in the background. */
  private JsonObject deliver(SdkLoggerProvider provider) {
    assertThat(provider.forceFlush().join(60, TimeUnit.SECONDS).isSuccess()).isTrue();
    await().atMost(TIME_LIMIT).until(() -> main.delivered() == 1);
    assertThat(main.deliveries().get(0).body().get("pipelines"))
        .hasToString("[\"orders\",\"audit\"]");
    return main.deliveries().get(0).body().getAsJsonObject("log_data");
  }

  @ParameterizedTest
  @EnumSource(Processor.class)
  void every_part_of_a_log_record_arrives(Processor processor) {
    DataNadhi client = open(configuration().echoPostDisabled(true));
    SdkLoggerProvider provider = provider(processor, exporter(client));
    provider
        .loggerBuilder("shop.Checkout")
        .setInstrumentationVersion("2.1")
        .setSchemaUrl("https://example.com/schema")
        .build()
        .logRecordBuilder()
        .setTimestamp(Instant.parse("2026-11-30T10:00:00.123456789Z"))
        .setObservedTimestamp(Instant.parse("2026-11-30T10:00:01Z"))
        .setContext(
            Context.root()
                .with(
                    Span.wrap(
                        SpanContext.create(
                            TRACE, SPAN, TraceFlags.getSampled(), TraceState.getDefault()))))
        .setSeverity(Severity.ERROR2)
        .setSeverityText("SEVERE")
        .setEventName("card.declined")
        .setBody("card declined")
        .setAttribute(AttributeKey.stringKey("user"), "u-1")
        .setAttribute(AttributeKey.longArrayKey("items"), List.of(1L, 2L))
        .setAttribute(AttributeKey.booleanKey("retry"), true)
        .setAttribute(AttributeKey.doubleKey("amount"), 12.5)
        .setAttribute(AttributeKey.stringKey("exception.type"), "java.io.IOException")
        .setAttribute(AttributeKey.stringKey("exception.message"), "reset")
        .setAttribute(AttributeKey.stringKey("exception.stacktrace"), "at shop")
        .emit();
    JsonObject payload = deliver(provider);
    JsonObject context = payload.remove("context").getAsJsonObject();
    assertThat(payload)
        .hasToString(
            ("{'message':'card declined','timestamp':'2026-11-30T10:00:00.123456789Z',"
                    + "'observed_timestamp':'2026-11-30T10:00:01Z','event_name':'card.declined',"
                    + "'module_name':'shop.Checkout',"
                    + "'trace_id':'"
                    + TRACE
                    + "','span_id':'"
                    + SPAN
                    + "','trace_flags':'01','resource':{'process.pid':17,'service.name':'shop'},"
                    + "'log_record':{'level':'SEVERE','severity_number':18,"
                    + "'logger':'shop.Checkout','scope_version':'2.1',"
                    + "'scope_schema_url':'https://example.com/schema'}}")
                .replace('\'', '"'));
    JsonObject error = context.remove("error").getAsJsonObject();
    assertThat(context)
        .hasToString("{\"amount\":12.5,\"items\":[1,2],\"retry\":true,\"user\":\"u-1\"}");
    assertThat(error.get("type").getAsString()).isEqualTo("java.io.IOException");
    assertThat(error.get("message").getAsString()).isEqualTo("reset");
    assertThat(error.get("stacktrace").getAsString()).isEqualTo("at shop");
  }

  @Test
  void a_body_that_is_no_text_keeps_its_structure() {
    DataNadhi client = open(configuration().echoPostDisabled(true));
    SdkLoggerProvider provider = provider(Processor.SIMPLE, exporter(client));
    provider
        .get("shop")
        .logRecordBuilder()
        .setBody(
            Value.of(
                KeyValue.of("order", Value.of(7)),
                KeyValue.of("raw", Value.of(new byte[] {1, 2, 3})),
                KeyValue.of("list", Value.of(Value.of(true), Value.of(1.5), Value.of("x"))),
                KeyValue.of("map", Value.of(KeyValue.of("inner", Value.of("y"))))))
        .emit();
    JsonObject payload = deliver(provider);
    assertThat(payload.has("message")).isFalse();
    assertThat(payload.get("body"))
        .hasToString(
            "{\"order\":7,\"raw\":\"AQID\",\"list\":[true,1.5,\"x\"],\"map\":{\"inner\":\"y\"}}");
    assertThat(payload.get("timestamp").getAsString()).matches("20\\d\\d-.*Z");
    assertThat(payload.has("observed_timestamp")).isFalse();
    assertThat(payload.getAsJsonObject("log_record").keySet()).containsExactly("logger");
  }

  @Test
  void the_resource_can_be_left_out() {
    DataNadhi client = open(configuration().echoPostDisabled(true).resourceDisabled(true));
    SdkLoggerProvider provider = provider(Processor.SIMPLE, exporter(client));
    emit(provider, 0, 1);
    assertThat(deliver(provider).has("resource")).isFalse();
  }

  @ParameterizedTest
  @EnumSource(Processor.class)
  void the_shutdown_of_the_provider_delivers_everything_and_closes_the_exporters_own_client(
      Processor processor) {
    SdkLoggerProvider provider =
        provider(
            processor,
            DataNadhiLogRecordExporter.builder(configuration().echoPostDisabled(true).build())
                .pipelines(PIPELINES)
                .build());
    emit(provider, 0, 1_000);
    assertThat(provider.shutdown().join(60, TimeUnit.SECONDS).isSuccess()).isTrue();
    assertThat(contextSeqs(main.deliveries())).isEqualTo(range(0, 1_000));
    await()
        .atMost(TIME_LIMIT)
        .until(() ->
            Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().startsWith("datanadhi-worker")));
  }

  @ParameterizedTest
  @EnumSource(Processor.class)
  void a_client_of_the_application_stays_open(Processor processor) {
    DataNadhi client = open(configuration().echoPostDisabled(true));
    SdkLoggerProvider provider = provider(processor, exporter(client));
    emit(provider, 0, 100);
    assertThat(provider.shutdown().join(60, TimeUnit.SECONDS).isSuccess()).isTrue();
    assertThat(contextSeqs(main.deliveries())).isEqualTo(range(0, 100));
    assertThat(client.isClosed()).isFalse();
    submit(client, 100, 101);
    assertThat(client.counters().submitted()).isEqualTo(101);
  }

  @ParameterizedTest
  @EnumSource(Processor.class)
  void records_arrive_through_echopost_when_the_main_server_is_killed(Processor processor)
      throws Exception {
    DataNadhi client = openWithEchoPost(configuration());
    SdkLoggerProvider provider = provider(processor, exporter(client));
    emit(provider, 0, 100);
    assertThat(provider.forceFlush().join(60, TimeUnit.SECONDS).isSuccess()).isTrue();
    main.goDown();
    emit(provider, 100, 400);
    assertThat(provider.shutdown().join(60, TimeUnit.SECONDS).isSuccess()).isTrue();
    assertThat(client.counters().deliveredToEchoPost()).isPositive();
    main.comeUp();
    client.close();
    Agents.drain(directory, main.url());
    Counters end = client.counters();
    assertThat(end.delivered()).isEqualTo(400).isEqualTo(end.submitted());
    List<com.datanadhi.sdk.testkit.LogServer.Delivery> all = new ArrayList<>(main.deliveries());
    all.addAll(fallback.deliveries());
    assertThat(contextSeqs(all)).isEqualTo(range(0, 400));
    assertThat(main.deliveries()).anyMatch(delivery -> delivery.fromAgent());
  }

  /** Keeps the results of the exports. */
  private static final class Observed implements LogRecordExporter {
    private final LogRecordExporter exporter;
    private final List<CompletableResultCode> results = new ArrayList<>();

    Observed(LogRecordExporter exporter) {
      this.exporter = exporter;
    }

    @Override
    public CompletableResultCode export(Collection<LogRecordData> logs) {
      CompletableResultCode result = exporter.export(logs);
      results.add(result);
      return result;
    }

    @Override
    public CompletableResultCode flush() {
      return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }
  }

  @Test
  void an_export_fails_if_the_client_refuses_records() throws Exception {
    main.hang();
    fallback.goDown();
    java.nio.file.Files.writeString(directory.resolve("dropped"), "no directory");
    DataNadhi client =
        open(configuration().echoPostDisabled(true).queueBytes(1 << 16).exitTimeout(Duration.ZERO));
    Observed exporter = new Observed(exporter(client));
    SdkLoggerProvider provider = provider(Processor.SIMPLE, exporter);
    for (int i = 0; i < 10; i++) {
      provider.get("shop").logRecordBuilder().setBody("x".repeat(20_000)).emit();
    }
    long refused = client.counters().refused();
    assertThat(refused).isPositive();
    assertThat(exporter.results).filteredOn(result -> !result.isSuccess()).hasSize((int) refused);
    assertThat(exporter.results.get(9).getFailureThrowable())
        .hasMessage("1 of 1 log records were refused: QUEUE_FULL");
    main.comeUp();
  }

  @Test
  void an_export_waits_for_space_if_it_may() throws Exception {
    main.slow(Duration.ofMillis(50));
    fallback.goDown();
    java.nio.file.Files.writeString(directory.resolve("dropped"), "no directory");
    DataNadhi client = open(configuration().echoPostDisabled(true).queueBytes(1 << 16));
    SdkLoggerProvider provider =
        provider(
            Processor.BATCH,
            DataNadhiLogRecordExporter.builder(client).longestWait(TIME_LIMIT).build());
    for (int i = 0; i < 10; i++) {
      provider.get("shop").logRecordBuilder().setBody("x".repeat(20_000)).emit();
    }
    assertThat(provider.forceFlush().join(60, TimeUnit.SECONDS).isSuccess()).isTrue();
    assertThat(client.counters().refused()).isZero();
    assertThat(client.flush(TIME_LIMIT)).isTrue();
    assertThat(client.counters().deliveredToMainServer()).isEqualTo(10);
  }

  @Test
  void a_flush_of_the_exporter_ends_when_its_records_have_an_outcome() {
    main.slow(Duration.ofMillis(300));
    DataNadhi client = open(configuration().echoPostDisabled(true));
    LogRecordExporter exporter = exporter(client);
    emit(provider(Processor.SIMPLE, exporter), 0, 3);
    CompletableResultCode result = exporter.flush();
    assertThat(result.join(60, TimeUnit.SECONDS).isSuccess()).isTrue();
    assertThat(contextSeqs(main.deliveries())).isEqualTo(range(0, 3));
  }

  @Test
  void after_the_shutdown_or_the_close_of_the_client_an_export_fails() {
    DataNadhi client = open(configuration().echoPostDisabled(true));
    Observed first = new Observed(exporter(client));
    SdkLoggerProvider provider = provider(Processor.SIMPLE, first);
    CompletableResultCode result = first.exporter.shutdown();
    assertThat(result.join(60, TimeUnit.SECONDS).isSuccess()).isTrue();
    assertThat(first.exporter.shutdown()).isSameAs(result);
    emit(provider, 0, 1);
    assertThat(first.results).singleElement().matches(export -> !export.isSuccess());

    Observed second = new Observed(exporter(client));
    client.close();
    emit(provider(Processor.SIMPLE, second), 1, 2);
    assertThat(second.results)
        .singleElement()
        .satisfies(export ->
            assertThat(export.getFailureThrowable())
                .hasMessage("1 of 1 log records were refused: CLOSED"));
    assertThat(client.counters().submitted()).isZero();
  }

  @Test
  void a_shutdown_fails_if_records_are_lost() throws Exception {
    main.goDown();
    fallback.goDown();
    java.nio.file.Files.writeString(directory.resolve("dropped"), "no directory");
    SdkLoggerProvider provider =
        provider(
            Processor.SIMPLE,
            DataNadhiLogRecordExporter.builder(
                    configuration().echoPostDisabled(true).exitTimeout(Duration.ZERO).build())
                .build());
    emit(provider, 0, 5);
    CompletableResultCode result = provider.shutdown().join(60, TimeUnit.SECONDS);
    assertThat(result.isDone()).isTrue();
    assertThat(result.isSuccess()).isFalse();
  }

  @Test
  void log_records_of_the_sdk_itself_are_ignored() {
    DataNadhi client = open(configuration().echoPostDisabled(true));
    Observed exporter = new Observed(exporter(client));
    SdkLoggerProvider provider = provider(Processor.SIMPLE, exporter);
    provider.get("com.datanadhi.sdk").logRecordBuilder().setBody("from the SDK").emit();
    emit(provider, 0, 1);
    assertThat(exporter.results).hasSize(2).allMatch(CompletableResultCode::isSuccess);
    assertThat(client.counters().submitted()).isEqualTo(1);
  }
}
