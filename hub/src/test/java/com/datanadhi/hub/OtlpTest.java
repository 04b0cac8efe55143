package com.datanadhi.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.record.EventBody;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.testkit.HubProcess;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.resources.Resource;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Log records that OpenTelemetry's SDK for Java sends to a hub.
class OtlpTest {
  private static final String TRACE = "0123456789abcdef0123456789abcdef";
  private static final String SPAN = "0123456789abcdef";

  @TempDir private Path data;

  private void log(LogRecordExporter exporter, String pipeline, int records) {
    Resource resource =
        Resource.create(
            Attributes.of(
                AttributeKey.stringKey("service.name"),
                "shop",
                AttributeKey.stringArrayKey("datanadhi.pipelines"),
                List.of(pipeline, "all")));
    Context context =
        Context.root()
            .with(
                Span.wrap(
                    SpanContext.create(
                        TRACE, SPAN, TraceFlags.getSampled(), TraceState.getDefault())));
    try (SdkLoggerProvider provider =
        SdkLoggerProvider.builder()
            .setResource(resource)
            .addLogRecordProcessor(BatchLogRecordProcessor.builder(exporter).build())
            .build()) {
      for (int i = 0; i < records; i++) {
        provider
            .get("test")
            .logRecordBuilder()
            .setContext(context)
            .setSeverity(Severity.WARN)
            .setBody(Value.of("grüße " + i))
            .setAttribute(AttributeKey.longKey("n"), (long) i)
            .emit();
      }
      assertThat(provider.forceFlush().join(20, TimeUnit.SECONDS).isSuccess()).isTrue();
    }
  }

  private static HttpResponse<String> send(HubProcess hub, String key, String body)
      throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create(hub.url() + "/v1/logs"))
              .header("Authorization", "Bearer " + key)
              .header("Content-Type", "application/json")
              .header("Idempotency-Key", "k-1")
              .POST(HttpRequest.BodyPublishers.ofString(body))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }

  private Optional<Path> tenant() throws IOException {
    try (Stream<Path> files = Files.walk(data.resolve("tenants"))) {
      return files.filter(file -> file.endsWith("acme")).findFirst();
    }
  }

  private Connection database() throws IOException, SQLException {
    return DriverManager.getConnection(
        "jdbc:sqlite:" + tenant().orElseThrow().resolve("canonical.db"));
  }

  private List<String> rows(String query) throws Exception {
    List<String> rows = new ArrayList<>();
    try (Connection connection = database();
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      while (result.next()) {
        rows.add(result.getString(1));
      }
    }
    return rows;
  }

  private byte[] quarantined() throws IOException, SQLException {
    try (Connection connection = database();
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("SELECT payload FROM quarantine")) {
      assertThat(result.next()).isTrue();
      return result.getBytes(1);
    }
  }

  private void check(List<String> logData, int records) {
    assertThat(logData).hasSize(records);
    for (int i = 0; i < records; i++) {
      JsonNode logs = JsonMapper.shared().readTree(logData.get(i)).get("resourceLogs").get(0);
      JsonNode record = logs.get("scopeLogs").get(0).get("logRecords").get(0);
      assertThat(logs.get("scopeLogs").get(0).get("scope").get("name").asString())
          .isEqualTo("test");
      assertThat(logs.get("resource").toString()).contains("\"stringValue\":\"shop\"");
      assertThat(record.get("body").get("stringValue").asString()).isEqualTo("grüße " + i);
      assertThat(record.get("severityNumber").asInt()).isEqualTo(13);
      assertThat(record.get("traceId").asString()).isEqualTo(TRACE);
      assertThat(record.get("spanId").asString()).isEqualTo(SPAN);
      assertThat(record.get("attributes").get(0).get("value").get("intValue").asString())
          .isEqualTo(Integer.toString(i));
    }
  }

  @Test
  void log_records_of_the_sdk_are_stored_and_bad_ones_are_kept_in_quarantine_also_by_a_rebuild()
      throws Exception {
    String key;
    String bad = "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"flags\":\"x\"}]}]}]}";
    try (HubProcess hub = HubProcess.spawn(HubOfClassPath.PROGRAM, data, Map.of())) {
      hub.awaitReady();
      key = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      log(
          OtlpHttpLogRecordExporter.builder()
              .setEndpoint(hub.url() + "/v1/logs")
              .addHeader("Authorization", "Bearer " + key)
              .setCompression("gzip")
              .build(),
          "http",
          1_000);
      log(
          OtlpGrpcLogRecordExporter.builder()
              .setEndpoint("http://" + hub.grpcTarget())
              .addHeader("datanadhi-api-key", key)
              .setCompression("gzip")
              .build(),
          "grpc",
          1_000);
      String body = bad.replace("[{\"flags\"", "[{\"flags\":1},{\"flags\"");
      HttpResponse<String> first = send(hub, key, body);
      assertThat(first.body()).contains("\"rejectedLogRecords\":\"1\"");
      await()
          .untilAsserted(
              () -> assertThat(rows("SELECT seq FROM events WHERE key = 'k-1'")).hasSize(1));
      HttpResponse<String> again = send(hub, key, body);
      assertThat(again.headers().firstValue("Idempotent-Replayed")).hasValue("true");
      assertThat(again.body()).isEqualTo(first.body());
      await().untilAsserted(() -> assertThat(rows("SELECT reason FROM quarantine")).hasSize(2));
      check(rows("SELECT log_data FROM events WHERE pipelines LIKE '%http%' ORDER BY seq"), 1_000);
      check(rows("SELECT log_data FROM events WHERE pipelines LIKE '%grpc%' ORDER BY seq"), 1_000);
      assertThat(rows("SELECT count(*) FROM events")).containsExactly("2001");
      hub.kill();
    }
    try (Stream<Path> files = Files.list(tenant().orElseThrow())) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    try (HubProcess hub = HubProcess.spawn(HubOfClassPath.PROGRAM, data, Map.of())) {
      hub.awaitReady();
      await()
          .ignoreExceptionsInstanceOf(SQLException.class) // until the database is there again
          .untilAsserted(() -> assertThat(rows("SELECT reason FROM quarantine")).hasSize(2));
      hub.kill();
    }

    assertThat(rows("SELECT DISTINCT reason FROM quarantine"))
        .containsExactly("flags is not a whole number of 32 bits from 0 on");
    EventBody kept = EventCodec.decode(quarantined());
    assertThat(kept.reason()).startsWith("flags is not");
    assertThat(kept.transactions().getFirst().records().getFirst().logData())
        .isEqualTo(bad.getBytes(StandardCharsets.UTF_8));
    assertThat(rows("SELECT stored || ' ' || skipped FROM state")).containsExactly("2001 2");
  }
}
