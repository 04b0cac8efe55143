package com.datanadhi.sdk.testkit;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.GZIPInputStream;

/** A main or a fallback server on loopback, that is up, down, hangs, or answers what it is told. */
public final class StubServer implements AutoCloseable {
  /** One record as it came, with its request's headers. */
  public record Delivery(
      String path, String key, String apiKey, String type, boolean fromAgent, JsonObject body) {
    /** The number that tests put into payloads. */
    public int seq() {
      return body.getAsJsonObject("log_data").get("seq").getAsInt();
    }
  }

  private final int port;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Delivery> deliveries = new ArrayList<>();
  private volatile int status = 200;
  private volatile CountDownLatch hanging = new CountDownLatch(0);
  private volatile int requests;
  private HttpServer server;

  private StubServer() throws IOException {
    server = listen(0);
    port = server.getAddress().getPort();
  }

  /** Up, and answering 200. */
  public static StubServer up() throws IOException {
    return new StubServer();
  }

  /** Not listening; its port is its own. */
  public static StubServer down() throws IOException {
    StubServer server = up();
    server.goDown();
    return server;
  }

  /** Its URL. */
  public String url() {
    return "http://127.0.0.1:" + port;
  }

  /** Refuses connections from now on, and breaks those there are. */
  public synchronized void goDown() {
    hanging.countDown();
    if (server != null) {
      server.stop(0);
      server = null;
    }
  }

  /** Listens again, on the same port. */
  public synchronized void comeUp() throws IOException {
    hanging.countDown();
    hanging = new CountDownLatch(0);
    if (server == null) {
      server = listen(port);
    }
  }

  /** Answers nothing any more, until it comes up or goes down. */
  public void hang() {
    hanging = new CountDownLatch(1);
  }

  /** What deliveries are answered; probes are answered 200 below 500. */
  public void answer(int newStatus) {
    status = newStatus;
  }

  /** Every record that was answered 2xx, in order. */
  public List<Delivery> deliveries() {
    synchronized (deliveries) {
      return List.copyOf(deliveries);
    }
  }

  /** How many there are. */
  public int delivered() {
    synchronized (deliveries) {
      return deliveries.size();
    }
  }

  /** Their keys, each once. */
  public Set<String> keys() {
    Set<String> keys = new LinkedHashSet<>();
    deliveries().forEach(delivery -> keys.add(delivery.key()));
    return keys;
  }

  /** Requests that came, of whatever kind. */
  public int requests() {
    return requests;
  }

  private HttpServer listen(int wanted) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        HttpServer made =
            HttpServer.create(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), wanted), 1024);
        made.setExecutor(threads);
        made.createContext("/", this::handle);
        made.start();
        return made;
      } catch (java.net.BindException busy) {
        if (attempt == 100) {
          throw busy;
        }
        java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
      }
    }
  }

  private void handle(HttpExchange exchange) throws IOException {
    synchronized (this) {
      requests++;
    }
    byte[] body = exchange.getRequestBody().readAllBytes();
    if (hanging.getCount() > 0) {
      try {
        hanging.await();
      } catch (InterruptedException ending) {
        return;
      }
      // Whoever asked has given up: a late delivery would come out of turn.
      exchange.close();
      return;
    }
    int answer = status;
    if (exchange.getRequestMethod().equals("GET")) {
      answer = answer > 500 ? answer : 200;
    } else if (answer / 100 == 2) {
      record(exchange, body);
    }
    exchange.sendResponseHeaders(answer, -1);
    exchange.close();
  }

  private void record(HttpExchange exchange, byte[] body) {
    String path = exchange.getRequestURI().getPath();
    String[] keys = exchange.getRequestHeaders().getFirst("Idempotency-Key").split(", ");
    String apiKey = exchange.getRequestHeaders().getFirst("DATANADHI-API-KEY");
    String type = exchange.getRequestHeaders().getFirst("Content-Type");
    // Java's own client names itself.
    String agent = exchange.getRequestHeaders().getFirst("User-Agent");
    boolean fromAgent = agent == null || !agent.startsWith("Java-http-client");
    String[] lines = text(path, body).split("\n");
    synchronized (deliveries) {
      for (int i = 0; i < lines.length; i++) {
        JsonObject record = JsonParser.parseString(lines[i]).getAsJsonObject();
        String key = keys[i].substring(1, keys[i].length() - 1);
        deliveries.add(new Delivery(path, key, apiKey, type, fromAgent, record));
      }
    }
  }

  private static String text(String path, byte[] body) {
    if (!path.equals("/upload")) {
      return new String(body, StandardCharsets.UTF_8);
    }
    try (GZIPInputStream unzipped = new GZIPInputStream(new ByteArrayInputStream(body))) {
      return new String(unzipped.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException notZipped) {
      throw new UncheckedIOException(notZipped);
    }
  }

  @Override
  public void close() {
    goDown();
    threads.shutdownNow();
  }
}
