package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/// A sender of one tenant, with one source: it sends the records 1, 2, 3, … in order and repeats
/// each call until it is answered with success. Every answer that the contract does not allow for
/// something temporary is a violation.
final class SourceSender implements AutoCloseable {
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(15);
  private static final long RETRY_NANOS = 20_000_000;

  private final HttpClient client;
  private final Supplier<String> url;
  private final String tenant;
  private final String apiKey;
  private final String source;
  private final int lines;
  private final int bytes;
  private final long pauseNanos;
  private final CampaignResult result;
  private final Thread thread;
  private volatile boolean isClosed;
  private volatile long sent;
  private volatile long acknowledged;
  private final AtomicLong refusals = new AtomicLong();
  private volatile String lastRefusal = "";
  private final Queue<Long> times = new ConcurrentLinkedQueue<>();

  /// It sends nothing before [#start] or [#step].
  ///
  /// @param url of the hub, which can change with each start
  /// @param lines records in a call
  /// @param bytes of each record, about
  /// @param pauseNanos after each call
  SourceSender(
      HttpClient client,
      Supplier<String> url,
      String tenant,
      String apiKey,
      UUID source,
      int lines,
      int bytes,
      long pauseNanos,
      CampaignResult result) {
    this.client = client;
    this.url = url;
    this.tenant = tenant;
    this.apiKey = apiKey;
    this.source = source.toString();
    this.lines = lines;
    this.bytes = bytes;
    this.pauseNanos = pauseNanos;
    this.result = result;
    this.thread = Thread.ofVirtual().unstarted(this::run);
  }

  SourceSender start() {
    thread.start();
    return this;
  }

  /// The content of a record, which its source and number determine.
  static String logData(String source, long n, int bytes) {
    StringBuilder text = new StringBuilder(bytes + 80);
    text.append("{\"source\":\"")
        .append(source)
        .append("\",\"n\":")
        .append(n)
        .append(",\"text\":\"");
    Random random = new Random(source.hashCode() * 31L + n);
    while (text.length() < bytes) {
      text.append(Long.toHexString(random.nextLong())).append(' ');
    }
    return text.append("\"}").toString();
  }

  private void run() {
    while (!isClosed) {
      if (step()) {
        LockSupport.parkNanos(pauseNanos);
      }
    }
  }

  /// Sends the next records, for a sender that has no thread of its own.
  ///
  /// @return false if the sender was closed before they were acknowledged
  boolean step() {
    int now = acknowledged % 7 == 3 ? 1 : lines;
    long first = acknowledged + 1;
    HttpRequest.Builder request = now == 1 ? single(first) : batch(first, now);
    sent = first + now - 1;
    boolean isDelivered = deliver(request, first, now);
    if (isDelivered) {
      acknowledged = first + now - 1;
      result.add(CampaignResult.Counter.ACKNOWLEDGED, now);
    }
    return isDelivered;
  }

  private HttpRequest.Builder single(long n) {
    return HttpRequest.newBuilder()
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", "\"" + source + "-" + n + "\"")
        .POST(
            BodyPublishers.ofString(
                "{\"pipelines\":[\"p\"],\"log_data\":" + logData(source, n, bytes) + "}"));
  }

  private HttpRequest.Builder batch(long first, int records) {
    StringBuilder body = new StringBuilder();
    for (long n = first; n < first + records; n++) {
      body.append("{\"key\":\"")
          .append(source)
          .append('-')
          .append(n)
          .append("\",\"pipelines\":[\"p\"],\"log_data\":")
          .append(logData(source, n, bytes))
          .append("}\n");
    }
    return HttpRequest.newBuilder()
        .header("Content-Type", "application/x-ndjson")
        .POST(BodyPublishers.ofString(body.toString()));
  }

  /// Sends until it is stored.
  ///
  /// @return false if the sender was closed before
  private boolean deliver(HttpRequest.Builder request, long first, int records) {
    request.header("DATANADHI-API-KEY", apiKey).timeout(REQUEST_TIMEOUT);
    while (!isClosed) {
      long start = System.nanoTime();
      try {
        HttpResponse<String> response =
            client.send(
                request.uri(URI.create(url.get() + "/log")).build(),
                BodyHandlers.ofString(StandardCharsets.UTF_8));
        if (isStored(response, first, records)) {
          long nanos = System.nanoTime() - start;
          result.recordTime(CampaignResult.LATENCY, nanos);
          times.add(nanos);
          return true;
        }
      } catch (IOException | IllegalArgumentException noAnswer) {
        // The hub is down or has ended: the same again.
      } catch (InterruptedException closed) {
        return false;
      }
      LockSupport.parkNanos(RETRY_NANOS);
    }
    return false;
  }

  private boolean isStored(HttpResponse<String> response, long first, int records) {
    String body = response.body();
    if (response.statusCode() == 200) {
      String expected =
          records == 1
              ? "\"key\":\"" + source + "-" + first + "\""
              : "{\"stored\":" + records + ",\"errors\":[]}";
      if (body.contains(expected)) {
        return true;
      }
      result.addViolation(name(first) + ": answered with " + body);
    } else if (response.statusCode() == 503) {
      refusals.incrementAndGet();
      lastRefusal = body;
      if (!response.headers().firstValue("Retry-After").orElse("").matches("[1-9][0-9]*")) {
        result.addViolation(name(first) + ": 503 without Retry-After: " + body);
      }
    } else {
      result.addViolation(name(first) + ": " + response.statusCode() + ": " + body);
    }
    return false;
  }

  private String name(long n) {
    return tenant + ", " + source + "-" + n;
  }

  String tenant() {
    return tenant;
  }

  String source() {
    return source;
  }

  int bytes() {
    return bytes;
  }

  /// The last record that was answered with success; all before it were too.
  long acknowledged() {
    return acknowledged;
  }

  /// The last record that was sent.
  long sent() {
    return sent;
  }

  /// How many calls were answered with 503.
  long refusals() {
    return refusals.get();
  }

  String lastRefusal() {
    return lastRefusal;
  }

  /// How long each call that was answered with success since the last time took, in nanoseconds.
  List<Long> takeTimes() {
    List<Long> taken = new ArrayList<>();
    for (Long next = times.poll(); next != null; next = times.poll()) {
      taken.add(next);
    }
    return taken;
  }

  @Override
  public void close() throws InterruptedException {
    isClosed = true;
    if (thread.getState() == Thread.State.NEW) {
      return;
    }
    if (!thread.join(Duration.ofSeconds(5))) {
      thread.interrupt();
      thread.join();
    }
  }
}
