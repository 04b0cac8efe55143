package com.datanadhi.hub.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.zip.GZIPOutputStream;

/// Requests by the JDK's client.
final class Requests {
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private Requests() {}

  static HttpRequest post(TestHub hub, String path, String type, String body, String... headers) {
    return post(hub, path, type, utf8(body), headers);
  }

  static HttpRequest post(TestHub hub, String path, String type, byte[] body, String... headers) {
    HttpRequest.Builder request = builder(hub, path, type, body);
    request.header("DATANADHI-API-KEY", TestHub.KEY);
    return headers.length == 0 ? request.build() : request.headers(headers).build();
  }

  /// Without an API key.
  static HttpRequest bare(TestHub hub, String path, String type, byte[] body) {
    return builder(hub, path, type, body).build();
  }

  private static HttpRequest.Builder builder(TestHub hub, String path, String type, byte[] body) {
    return HttpRequest.newBuilder(hub.uri(path))
        .header("Content-Type", type)
        .POST(HttpRequest.BodyPublishers.ofByteArray(body));
  }

  static HttpRequest get(TestHub hub, String path, String... headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(hub.uri(path)).header("Authorization", "Bearer " + TestHub.KEY);
    return headers.length == 0 ? request.build() : request.headers(headers).build();
  }

  static HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
    return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
  }

  static HttpResponse<InputStream> stream(HttpRequest request)
      throws IOException, InterruptedException {
    return CLIENT.send(request, HttpResponse.BodyHandlers.ofInputStream());
  }

  static byte[] utf8(String text) {
    return text.getBytes(UTF_8);
  }

  static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      out.write(utf8(text));
    }
    return packed.toByteArray();
  }

  static String golden(String name) throws IOException {
    try (InputStream in = Requests.class.getResourceAsStream("golden/" + name)) {
      if (in == null) {
        throw new IOException("no golden file " + name);
      }
      return new String(in.readAllBytes(), UTF_8);
    }
  }
}
