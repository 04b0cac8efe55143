package com.datanadhi.testkit;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/// A way to a server on loopback that delays, cuts and refuses connections: toxiproxy. Faults add
/// up until [#heal]. They hold for the connections that exist, too. Thread-safe.
public final class FaultyNetwork implements AutoCloseable {
  private static final String PROXY = "way";

  /// toxiproxy has no end of waiting for connections whose data nobody takes.
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  /// Which way.
  public enum Direction {
    TO_SERVER("upstream"),
    FROM_SERVER("downstream");

    private final String stream;

    Direction(String stream) {
      this.stream = stream;
    }
  }

  private final InstalledTool.Server server;
  private final HttpClient client;
  private final int port;

  private FaultyNetwork(InstalledTool.Server server, HttpClient client, int port) {
    this.server = server;
    this.client = client;
    this.port = port;
  }

  /// Starts a proxy without faults, and returns when it accepts connections.
  ///
  /// @param home an existing directory for its output
  /// @param target the port of the server on 127.0.0.1
  /// @throws IllegalStateException toxiproxy is not installed; the message says how to do that
  public static FaultyNetwork start(Path home, int target)
      throws IOException, InterruptedException {
    Files.createDirectories(home);
    InstalledTool.Server server =
        InstalledTool.start(
            "toxiproxy",
            home.resolve("toxiproxy.output"),
            port -> List.of("-host", "127.0.0.1", "-port", Integer.toString(port)));
    int port = InstalledTool.freePort();
    FaultyNetwork network = new FaultyNetwork(server, HttpClient.newHttpClient(), port);
    try {
      network.call(
          "POST",
          "/proxies",
          "{\"name\":\"%s\",\"listen\":\"127.0.0.1:%d\",\"upstream\":\"127.0.0.1:%d\"}"
              .formatted(PROXY, port, target));
    } catch (IOException failed) {
      network.close();
      throw failed;
    }
    return network;
  }

  /// The port on 127.0.0.1 that leads to the server.
  public int port() {
    return port;
  }

  /// The address, `http://127.0.0.1:PORT`.
  public String endpoint() {
    return "http://127.0.0.1:" + port;
  }

  /// Delays all data.
  public void delay(Direction direction, int millis) throws IOException, InterruptedException {
    add("latency", direction, "{\"latency\":" + millis + "}");
  }

  /// Lets no data through, and keeps connections open.
  public void silence(Direction direction) throws IOException, InterruptedException {
    add("timeout", direction, "{\"timeout\":0}");
  }

  /// Resets each connection after some time.
  public void reset(Direction direction, int millis) throws IOException, InterruptedException {
    add("reset_peer", direction, "{\"timeout\":" + millis + "}");
  }

  /// Closes each connection after this number of bytes.
  public void cutAfter(Direction direction, long bytes) throws IOException, InterruptedException {
    add("limit_data", direction, "{\"bytes\":" + bytes + "}");
  }

  /// Lets no more than this through.
  public void limitRate(Direction direction, int kilobytesPerSecond)
      throws IOException, InterruptedException {
    add("bandwidth", direction, "{\"rate\":" + kilobytesPerSecond + "}");
  }

  /// Closes all connections and refuses new ones.
  public void refuse() throws IOException, InterruptedException {
    call("POST", "/proxies/" + PROXY, "{\"enabled\":false}");
  }

  /// Ends all faults.
  public void heal() throws IOException, InterruptedException {
    call("POST", "/reset", "");
  }

  private void add(String type, Direction direction, String attributes)
      throws IOException, InterruptedException {
    call(
        "POST",
        "/proxies/" + PROXY + "/toxics",
        String.format(
            Locale.ROOT,
            "{\"type\":\"%s\",\"stream\":\"%s\",\"attributes\":%s}",
            type,
            direction.stream,
            attributes));
  }

  private void call(String method, String path, String body)
      throws IOException, InterruptedException {
    HttpResponse<String> answer =
        client.send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .timeout(TIMEOUT)
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() >= 300) {
      throw new IOException("toxiproxy: " + answer.statusCode() + " " + answer.body());
    }
  }

  @Override
  public void close() {
    Processes.kill(server.process());
  }
}
