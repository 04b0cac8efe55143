package com.datanadhi.hub;

import com.datanadhi.testkit.HubProcess;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;

/// The hub of these classes as a program, and a client of it.
final class HubOfClassPath {
  static final List<String> PROGRAM =
      List.of(
          Path.of(System.getProperty("java.home"), "bin/java").toString(),
          "--enable-preview",
          "--enable-native-access=ALL-UNNAMED",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-cp",
          System.getProperty("java.class.path"),
          Main.class.getName());

  private HubOfClassPath() {}

  /// Sends a record, and waits until it is applied.
  ///
  /// @param headers names and values of more headers
  static HttpResponse<String> post(HubProcess hub, String apiKey, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(hub.url() + "/log"))
            .header("DATANADHI-API-KEY", apiKey)
            .header("Content-Type", "application/json")
            .header("Prefer", "wait=20")
            .POST(HttpRequest.BodyPublishers.ofString("{\"pipelines\":[\"p\"],\"log_data\":1}"));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
  }
}
