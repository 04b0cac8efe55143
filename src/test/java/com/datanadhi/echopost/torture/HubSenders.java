package com.datanadhi.echopost.torture;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/// Senders that post records to a hub over HTTP, each on a thread of its own and as a source of its
/// own: one record, lines, or a transaction. Whatever fails is sent again under the same keys until
/// it is acknowledged, and now and then something acknowledged is sent once more. Thread-safe.
final class HubSenders implements AutoCloseable {
  private static final long RETRY_NANOS = 50_000_000;
  private static final long POLL_NANOS = 1_000_000;
  private static final int MAX_LINES = 40;
  private static final int MAX_RECORDS = 5;

  /// Values of records: what JSON allows, and readers of JSON tend to change.
  private static final List<String> VALUES =
      List.of(
          "1e400",
          "-0.0",
          "12345678901234567890",
          "\"\\u00e9\\/\\ud83d\\ude00\"",
          "\"é😀\"",
          "{\"a\":1,\"a\":2}",
          "[ 1 ,2 ]",
          "null");

  private final HubObserver observer;
  private final List<HubClient> clients = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicLong failures = new AtomicLong();
  private final AtomicLong acknowledgements = new AtomicLong();
  private final CampaignResult result;
  private volatile boolean stopped;
  private volatile boolean aborted;

  /// Starts the senders.
  ///
  /// @param apiKeys by tenant; senders are spread over the tenants
  /// @param size of a record, about, in bytes
  /// @param pauseNanos the longest pause between two requests of a sender
  HubSenders(
      String url,
      Map<String, String> apiKeys,
      int count,
      int size,
      long pauseNanos,
      Random random,
      HubObserver observer,
      CampaignResult result) {
    this.observer = observer;
    this.result = result;
    List<String> tenants = apiKeys.keySet().stream().sorted().toList();
    for (int number = 0; number < count; number++) {
      String tenant = tenants.get(number % tenants.size());
      HubClient client = new HubClient(url, String.valueOf(apiKeys.get(tenant)));
      clients.add(client);
      Sender sender = new Sender(tenant, client, size, pauseNanos, new Random(random.nextLong()));
      threads.add(Thread.ofPlatform().name("sender-" + number).start(sender::run));
    }
  }

  /// How many requests got no answer.
  long failures() {
    return failures.get();
  }

  /// Waits until `more` further requests are acknowledged, or `limit` has passed.
  void awaitAcknowledged(long more, Duration limit) {
    long target = acknowledgements.get() + more;
    long end = System.nanoTime() + limit.toNanos();
    while (acknowledgements.get() < target && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  /// Ends each sender when its request in progress is acknowledged, which takes a hub that runs.
  void finish() throws InterruptedException {
    stopped = true;
    for (Thread thread : threads) {
      thread.join();
    }
  }

  /// Ends each sender, also without an answer.
  @Override
  public void close() {
    aborted = true;
    stopped = true;
    clients.forEach(HubClient::close);
    for (Thread thread : threads) {
      thread.interrupt();
      try {
        thread.join(TimeUnit.SECONDS.toMillis(10));
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /// One request, which can be sent any number of times.
  private sealed interface Request {
    record One(HubChecker.Sent sent) implements Request {}

    record Lines(List<HubChecker.Sent> lines) implements Request {}

    record Transaction(HubChecker.Sent sent) implements Request {}
  }

  private final class Sender {
    private final String tenant;
    private final HubClient client;
    private final int size;
    private final long pauseNanos;
    private final Random random;
    private final String source;
    private final List<Request> acknowledged = new ArrayList<>();
    private long n;

    Sender(String tenant, HubClient client, int size, long pauseNanos, Random random) {
      this.tenant = tenant;
      this.client = client;
      this.size = size;
      this.pauseNanos = pauseNanos;
      this.random = random;
      this.source = new UUID(random.nextLong(), random.nextLong()).toString();
    }

    void run() {
      while (!stopped) {
        boolean repeats = !acknowledged.isEmpty() && random.nextInt(8) == 0;
        Request request = repeats ? acknowledged.get(random.nextInt(acknowledged.size())) : next();
        long start = System.nanoTime();
        if (!sendUntilAcknowledged(request)) {
          return;
        }
        result.recordTime(CampaignResult.LATENCY, System.nanoTime() - start);
        if (!repeats) {
          acknowledged.add(request);
        }
        if (pauseNanos > 0) {
          LockSupport.parkNanos(random.nextLong(pauseNanos));
        }
      }
    }

    private Request next() {
      return switch (random.nextInt(4)) {
        case 0 -> new Request.One(sent(1));
        case 1 -> new Request.Transaction(sent(1 + random.nextInt(MAX_RECORDS)));
        default -> {
          int count = 1 + random.nextInt(MAX_LINES);
          List<HubChecker.Sent> lines = new ArrayList<>(count);
          for (int line = 0; line < count; line++) {
            lines.add(sent(1));
          }
          yield new Request.Lines(lines);
        }
      };
    }

    private HubChecker.Sent sent(int records) {
      String key =
          random.nextInt(10) == 0
              ? "order:" + new UUID(random.nextLong(), random.nextLong())
              : source + "-" + ++n;
      List<String> payloads = new ArrayList<>(records);
      for (int part = 1; part <= records; part++) {
        payloads.add(
            "{\"key\":\""
                + key
                + "\",\"part\":"
                + part
                + ", \"v\" : "
                + VALUES.get(random.nextInt(VALUES.size()))
                + ",\"msg\":\""
                + "y".repeat(random.nextInt(2 * size))
                + "\"}");
      }
      return new HubChecker.Sent(tenant, key, "[\"" + tenant + "-pipeline\",\"all\"]", payloads);
    }

    /// @return whether it was acknowledged; false if the senders were closed meanwhile
    private boolean sendUntilAcknowledged(Request request) {
      all(request).forEach(observer::sending);
      while (!aborted) {
        try {
          if (send(request)) {
            return true;
          }
        } catch (IOException noAnswer) {
          failures.incrementAndGet();
        } catch (InterruptedException closed) {
          return false;
        }
        LockSupport.parkNanos(RETRY_NANOS);
      }
      return false;
    }

    private boolean send(Request request) throws IOException, InterruptedException {
      HubClient.Answer answer =
          switch (request) {
            case Request.One(HubChecker.Sent sent) -> client.postOne(sent);
            case Request.Lines(List<HubChecker.Sent> lines) -> client.postLines(lines);
            case Request.Transaction(HubChecker.Sent sent) -> client.postTransaction(sent);
          };
      if (answer.status() != 200) {
        observer.refused(answer.status(), answer.body());
        return false;
      }
      boolean isLines = request instanceof Request.Lines;
      List<HubChecker.Sent> all = all(request);
      String complete = "{\"stored\":" + all.size() + ",\"errors\":[]}";
      if (isLines && !answer.body().equals(complete)) {
        observer.refused(200, answer.body());
        return false;
      }
      all.forEach(sent -> observer.acknowledged(sent, isLines ? null : answer.body()));
      acknowledgements.incrementAndGet();
      return true;
    }

    private static List<HubChecker.Sent> all(Request request) {
      return switch (request) {
        case Request.One(HubChecker.Sent sent) -> List.of(sent);
        case Request.Lines(List<HubChecker.Sent> lines) -> lines;
        case Request.Transaction(HubChecker.Sent sent) -> List.of(sent);
      };
    }
  }
}
