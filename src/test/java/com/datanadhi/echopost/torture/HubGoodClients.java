package com.datanadhi.echopost.torture;

import com.datanadhi.echopost.torture.HubCalls.Answer;
import com.datanadhi.echopost.torture.HubCalls.Way;
import com.datanadhi.testkit.HubProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/// Well-behaved clients of a hub, which send one record after another on connections that stay
/// open, over HTTP and gRPC, until they are closed. Every request must be answered by success; the
/// time of the slowest is in the result. Thread-safe.
final class HubGoodClients implements AutoCloseable {
  private static final String PIPELINES = "[\"p1\"]";
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final Duration MAX_WAIT = Duration.ofSeconds(10);

  private final HubProcess hub;
  private final String tenant;
  private final String apiKey;
  private final HubChecker checker;
  private final CampaignResult result;
  private final AtomicLong number = new AtomicLong();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopped;

  HubGoodClients(
      HubProcess hub,
      String tenant,
      String apiKey,
      int count,
      HubChecker checker,
      CampaignResult result) {
    this.hub = hub;
    this.tenant = tenant;
    this.apiKey = apiKey;
    this.checker = checker;
    this.result = result;
    for (int client = 0; client < count; client++) {
      Way way = client % 2 == 0 ? Way.LOG : Way.GRPC;
      threads.add(Thread.ofPlatform().name("good-client-" + client).start(() -> send(way)));
    }
  }

  private void send(Way way) {
    try (HubCalls calls = new HubCalls(hub.url(), hub.grpcTarget(), apiKey)) {
      while (!stopped) {
        send(calls, way, "well-behaved " + way);
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  private void send(HubCalls calls, Way way, String who) {
    long n = number.incrementAndGet();
    HubChecker.Sent record =
        new HubChecker.Sent(tenant, "good-" + n, PIPELINES, List.of("{\"good\":" + n + "}"));
    checker.sending(record);
    long start = System.nanoTime();
    try {
      Answer answer = calls.send(way, record.key(), List.of("p1"), record.payloads().getFirst());
      long nanos = System.nanoTime() - start;
      result.recordTime(CampaignResult.LATENCY, nanos);
      result.recordTime(who, nanos);
      if (answer.isStored()) {
        checker.acknowledged(record, answer.body());
      } else {
        result.addViolation(who + ": " + answer);
      }
      if (nanos > MAX_WAIT.toNanos()) {
        result.addViolation(who + ": waited for " + TimeUnit.NANOSECONDS.toMillis(nanos) + " ms");
      }
    } catch (IOException failed) {
      result.addViolation(
          who
              + " after "
              + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start)
              + " ms: "
              + failed);
    }
  }

  /// A new client must be served, on either way.
  void checkNewClient(String when) {
    try (HubCalls calls = new HubCalls(hub.url(), hub.grpcTarget(), apiKey)) {
      send(calls, Way.LOG, "new client " + when.replaceAll(".* after", "after"));
      send(calls, Way.GRPC, "new client of gRPC " + when.replaceAll(".* after", "after"));
    }
  }

  /// Stops sending, and returns once every call has ended.
  @Override
  public void close() throws InterruptedException {
    stopped = true;
    for (Thread thread : threads) {
      thread.join();
    }
  }
}
