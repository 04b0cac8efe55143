package com.datanadhi.sdk.testkit;

import com.datanadhi.testkit.StubServer;
import com.datanadhi.testkit.StubServer.Behaviour;
import com.datanadhi.testkit.StubServer.Request;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.zip.GZIPInputStream;

/** A main server or a fallback server on loopback, which parses the records that it accepts. */
public final class LogServer implements AutoCloseable {
  /** An accepted record, with headers of its request. */
  public record Delivery(
      String path, String key, String apiKey, String type, boolean fromAgent, JsonObject body) {
    /** The number that tests put into payloads. */
    public int seq() {
      return body.getAsJsonObject("log_data").get("seq").getAsInt();
    }
  }

  private static final String NDJSON = "application/x-ndjson";
  private static final String GZIP = "Accept-Encoding: gzip";

  private final StubServer server;
  private final List<Delivery> deliveries = new ArrayList<>();
  private final List<Integer> batches = new ArrayList<>();
  private volatile int status = 200;
  private volatile int probeStatus = 200;
  private volatile long slowMillis;
  private volatile boolean cutting;
  private volatile String[] offer = {};
  private volatile Behaviour onBatch = this::acceptBatch;
  private volatile CountDownLatch hanging = new CountDownLatch(0);

  private LogServer(StubServer server) {
    this.server = server;
    server.keep(false);
    server.offer(StubServer.Offer.BY_TEST);
    server.onProbe(this::respond);
    server.onDelivery(this::respond);
  }

  /** A server that is up and responds with 200. */
  public static LogServer up() throws IOException {
    return new LogServer(StubServer.up());
  }

  public String url() {
    return server.url();
  }

  /** Refuses new connections and closes the existing ones. */
  public void goDown() {
    hanging.countDown();
    try {
      server.goDown();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  /** Accepts connections again, on the same port, and no longer hangs. */
  public synchronized void comeUp() throws IOException {
    hanging.countDown();
    hanging = new CountDownLatch(0);
    server.comeUp();
  }

  /** Sends no response until the server comes up or goes down. */
  public void hang() {
    hanging = new CountDownLatch(1);
  }

  /** Waits from now on before each response to a delivery. */
  public void slow(Duration time) {
    slowMillis = time.toMillis();
  }

  /** Sets the status for probes, except while that for deliveries is above 500. */
  public void answerProbes(int newStatus) {
    probeStatus = newStatus;
  }

  /** Sets the status for deliveries. Probes get it too if it is above 500. */
  public void answer(int newStatus) {
    status = newStatus;
  }

  /** Breaks the connection from now on within the body of each answer to a single record. */
  public void cutAnswers() {
    cutting = true;
  }

  /** Offers batches from now on, in every answer with a status 2xx. */
  public void offerBatches() {
    offer = new String[] {"Accept-Post: application/json, application/x-ndjson", GZIP};
  }

  /** Offers batches that are not compressed. */
  public void offerPlainBatches() {
    offer = new String[] {"Accept-Post: application/json, application/x-ndjson"};
  }

  /** Offers no batches any more. */
  public void withdrawOffer() {
    offer = new String[] {};
  }

  /** Sets the response to batches; {@link #acceptBatch} is the one of a server that is well. */
  public void onBatch(Behaviour behaviour) {
    onBatch = behaviour;
  }

  /** Accepts every line of a batch. */
  public boolean acceptBatch(Request request, OutputStream out) throws IOException {
    int lines = recordBatch(request, Set.of());
    return answerBatch(lines, "").respond(request, out);
  }

  /** Accepts the lines of a batch, except those of {@code seqs}, which get the status 422. */
  public Behaviour rejectLines(Set<Integer> seqs) {
    return (request, out) -> {
      List<String> lines = text(request).lines().toList();
      List<String> errors = new ArrayList<>();
      for (int i = 0; i < lines.size(); i++) {
        if (seqs.contains(seq(lines.get(i)))) {
          errors.add("{\"line\":%d,\"status\":422,\"title\":\"No\"}".formatted(i + 1));
        }
      }
      int stored = recordBatch(request, seqs);
      return answerBatch(stored, String.join(",", errors)).respond(request, out);
    };
  }

  private Behaviour answerBatch(int stored, String errors) {
    return Behaviour.status(
        200, "{\"stored\":%d,\"errors\":[%s]}".formatted(stored, errors), offer);
  }

  /** The number of lines of each batch so far, whatever the response was. */
  public List<Integer> batches() {
    synchronized (deliveries) {
      return List.copyOf(batches);
    }
  }

  /** Every record that got a 2xx status, in the order of arrival. */
  public List<Delivery> deliveries() {
    synchronized (deliveries) {
      return List.copyOf(deliveries);
    }
  }

  /** The number of these records. */
  public int delivered() {
    synchronized (deliveries) {
      return deliveries.size();
    }
  }

  /** The idempotency keys of these records, without repeats. */
  public Set<String> keys() {
    Set<String> keys = new LinkedHashSet<>();
    deliveries().forEach(delivery -> keys.add(delivery.key()));
    return keys;
  }

  /** The number of requests so far, including probes. */
  public int requests() {
    return server.probes() + server.count();
  }

  private boolean respond(Request request, OutputStream out) throws IOException {
    CountDownLatch current = hanging;
    if (current.getCount() > 0) {
      try {
        current.await();
      } catch (InterruptedException stopped) {
        return false;
      }
      // The client has given up. To record the delivery now would change the order.
      return false;
    }
    int answer = status;
    if (request.method().equals("GET")) {
      answer = answer > 500 ? answer : probeStatus;
    } else if (answer / 100 == 2) {
      if (NDJSON.equals(request.headers().get("content-type"))) {
        synchronized (deliveries) {
          batches.add((int) text(request).lines().count());
        }
        return onBatch.respond(request, out);
      }
      record(request);
    }
    if (cutting && request.method().equals("POST")) {
      return Behaviour.raw("HTTP/1.1 " + answer + " Cut\r\nContent-Length: 50\r\n\r\n{")
          .respond(request, out);
    }
    if (slowMillis > 0 && request.method().equals("POST")) {
      return Behaviour.slow(slowMillis, Behaviour.status(answer, "", offer)).respond(request, out);
    }
    return Behaviour.status(answer, "", answer / 100 == 2 ? offer : new String[] {})
        .respond(request, out);
  }

  private int recordBatch(Request request, Set<Integer> without) {
    synchronized (deliveries) {
      int before = deliveries.size();
      for (String line : text(request).split("\n")) {
        JsonObject body = JsonParser.parseString(line).getAsJsonObject();
        if (!without.contains(seq(line))) {
          deliveries.add(delivery(request, body.get("key").getAsString(), body));
        }
      }
      return deliveries.size() - before;
    }
  }

  private static int seq(String line) {
    JsonObject body = JsonParser.parseString(line).getAsJsonObject();
    return body.getAsJsonObject("log_data").get("seq").getAsInt();
  }

  private void record(Request request) {
    String[] keys = request.headers().get("idempotency-key").split(", ");
    String text = text(request);
    String[] lines = request.path().equals("/upload") ? text.split("\n") : new String[] {text};
    synchronized (deliveries) {
      for (int i = 0; i < lines.length; i++) {
        String key = keys[i].substring(1, keys[i].length() - 1);
        deliveries.add(delivery(request, key, JsonParser.parseString(lines[i]).getAsJsonObject()));
      }
    }
  }

  private static Delivery delivery(Request request, String key, JsonObject body) {
    // The JDK's HTTP client, which the SDK uses, sends its name; the agent sends none.
    boolean fromAgent =
        !request.headers().getOrDefault("user-agent", "").startsWith("Java-http-client");
    return new Delivery(
        request.path(),
        key,
        request.headers().get("datanadhi-api-key"),
        request.headers().get("content-type"),
        fromAgent,
        body);
  }

  private static String text(Request request) {
    if (!request.path().equals("/upload")) {
      return request.text();
    }
    try (GZIPInputStream unzipped = new GZIPInputStream(new ByteArrayInputStream(request.body()))) {
      return new String(unzipped.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException notZipped) {
      throw new UncheckedIOException(notZipped);
    }
  }

  @Override
  public void close() {
    hanging.countDown();
    try {
      server.close();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
