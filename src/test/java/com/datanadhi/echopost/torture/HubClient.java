package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A client of one tenant for a hub's HTTP server. Thread-safe.
final class HubClient implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  /// An answer.
  record Answer(int status, String body) {}

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(TIMEOUT).build();
  private final String url;
  private final String apiKey;

  HubClient(String url, String apiKey) {
    this.url = url;
    this.apiKey = apiKey;
  }

  /// `POST /log` with a transaction of one record.
  Answer postOne(HubChecker.Sent sent) throws IOException, InterruptedException {
    return post("/log", "application/json", sent.key(), record(sent, 0));
  }

  /// `POST /log` with a line for each transaction, of which each has one record.
  Answer postLines(List<HubChecker.Sent> lines) throws IOException, InterruptedException {
    return post(
        "/log",
        "application/x-ndjson",
        null,
        lines.stream()
            .map(sent ->
                "{\"key\":\""
                    + sent.key()
                    + "\",\"pipelines\":"
                    + sent.pipelines()
                    + ",\"log_data\":"
                    + sent.payloads().getFirst()
                    + "}")
            .collect(Collectors.joining("\n")));
  }

  /// `POST /v1/transactions` with any number of records.
  Answer postTransaction(HubChecker.Sent sent) throws IOException, InterruptedException {
    StringBuilder body = new StringBuilder("{\"records\":[");
    for (int part = 0; part < sent.payloads().size(); part++) {
      body.append(part == 0 ? "" : ",").append(record(sent, part));
    }
    return post("/v1/transactions", "application/json", sent.key(), body.append("]}").toString());
  }

  private static String record(HubChecker.Sent sent, int part) {
    return "{\"pipelines\":"
        + sent.pipelines()
        + ",\"log_data\":"
        + sent.payloads().get(part)
        + "}";
  }

  private Answer post(String path, String type, @Nullable String key, String body)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url + path))
            .timeout(TIMEOUT)
            .header("DATANADHI-API-KEY", apiKey)
            .header("Content-Type", type)
            .POST(HttpRequest.BodyPublishers.ofString(body));
    if (key != null) {
      request.header("Idempotency-Key", "\"" + key + "\"");
    }
    return send(request.build());
  }

  /// Moves the cursor of a consumer to the last record that it has read.
  Answer moveCursor(String pipeline, String consumer, long through)
      throws IOException, InterruptedException {
    return post(
        "/v1/pipelines/" + pipeline + "/cursors/" + consumer,
        "application/json",
        null,
        "{\"through\":" + through + "}");
  }

  /// `GET` of any path.
  Answer get(String path) throws IOException, InterruptedException {
    return send(
        HttpRequest.newBuilder(URI.create(url + path))
            .timeout(TIMEOUT)
            .header("DATANADHI-API-KEY", apiKey)
            .build());
  }

  /// A value from `GET /metrics`; NaN without one.
  double metric(String name) throws IOException, InterruptedException {
    return get("/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .findFirst()
        .orElse(Double.NaN);
  }

  /// Whether the hub has applied everything that is in its log, for all tenants.
  boolean hasAppliedAll() throws InterruptedException {
    try {
      return metric("hub_apply_lag_records") == 0
          && metric("hub_held_back_records") == 0
          && metric("hub_parked_tenants") == 0;
    } catch (IOException notReady) {
      return false;
    }
  }

  private Answer send(HttpRequest request) throws IOException, InterruptedException {
    HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
    return new Answer(response.statusCode(), response.body());
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
