package com.datanadhi.sdk.comparison;

import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.DataNadhiConfiguration;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A library that delivers log records, with its defaults. The same record in each. */
interface Library {
  /** The message; what an application logs has about this length. */
  String MESSAGE =
      "card declined by the issuer: insufficient funds, the customer was asked for another card";

  Duration LONGEST_END = Duration.ofSeconds(30);
  String USER = "user-17-of-tenant-4";
  String PATH = "/checkout/payment";

  /** Gives the library a record, as an application does. */
  void log(int order);

  /** Delivers what is there and ends; returns how many records it has kept for a later process. */
  long close() throws InterruptedException;

  /** Opens a library by its name. */
  static Library open(String name, String url, Path directory, boolean gzip) {
    return name.equals("sdk") ? sdk(url, directory) : openTelemetry(url, gzip);
  }

  private static Library sdk(String url, Path directory) {
    DataNadhi client =
        DataNadhi.open(
            DataNadhiConfiguration.builder(directory)
                .apiKey("comparison")
                .serverHost(url)
                .fallbackHost("http://127.0.0.1:9")
                .echoPostDisabled(true)
                .build());
    List<String> pipelines = List.of("orders");
    return new Library() {
      @Override
      public void log(int order) {
        var unused =
            client.submit(
                pipelines,
                Map.of(
                    "time", System.currentTimeMillis(),
                    "level", "ERROR",
                    "message", MESSAGE,
                    "order", order,
                    "user", USER,
                    "path", PATH));
      }

      @Override
      public long close() throws InterruptedException {
        boolean unused = client.flush(LONGEST_END);
        client.close();
        Counters end = client.counters();
        return end.droppedTotal() - end.redelivered();
      }
    };
  }

  private static Library openTelemetry(String url, boolean gzip) {
    OtlpHttpLogRecordExporter exporter =
        OtlpHttpLogRecordExporter.builder()
            .setEndpoint(url + "/v1/logs")
            .setCompression(gzip ? "gzip" : "none")
            .build();
    SdkLoggerProvider provider =
        SdkLoggerProvider.builder()
            .addLogRecordProcessor(BatchLogRecordProcessor.builder(exporter).build())
            .build();
    Logger logger = provider.get("shop.Payments");
    AttributeKey<Long> orderKey = AttributeKey.longKey("order");
    AttributeKey<String> userKey = AttributeKey.stringKey("user");
    AttributeKey<String> pathKey = AttributeKey.stringKey("path");
    return new Library() {
      @Override
      public void log(int order) {
        // The processor reads the clock.
        logger
            .logRecordBuilder()
            .setSeverity(Severity.ERROR)
            .setSeverityText("ERROR")
            .setBody(MESSAGE)
            .setAttribute(orderKey, (long) order)
            .setAttribute(userKey, USER)
            .setAttribute(pathKey, PATH)
            .emit();
      }

      @Override
      public long close() {
        provider.shutdown().join(LONGEST_END.toSeconds(), TimeUnit.SECONDS);
        return 0;
      }
    };
  }
}
