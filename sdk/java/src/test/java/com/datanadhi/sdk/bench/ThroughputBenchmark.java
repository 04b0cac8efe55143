package com.datanadhi.sdk.bench;

import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.DataNadhiConfiguration;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.StubServer;
import com.datanadhi.testkit.StubServer.Behaviour;
import com.datanadhi.testkit.StubServer.Request;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.GZIPInputStream;

/**
 * Measures how many records per second the SDK delivers to a main server that only counts them, one
 * by one and in batches, at several round-trip times, and the processor time of the SDK's own
 * threads for each. The application submits as fast as it can while the queue is less than 80 %
 * full, so that nothing overflows.
 */
public final class ThroughputBenchmark {
  private static final List<String> PIPELINES = List.of("orders");
  private static final Map<String, Object> PAYLOAD =
      Map.of("message", "card declined", "level", "ERROR", "order", 1003, "user", "u-17");
  private static final int QUEUE_SIZE = 1000;
  private static final long WARM_UP_NANOS = Duration.ofSeconds(2).toNanos();
  private static final long MEASUREMENT_NANOS = Duration.ofSeconds(6).toNanos();

  private ThroughputBenchmark() {}

  /** Prints a table. */
  public static void main(String[] args) throws Exception {
    System.out.printf(
        "%-12s %8s %8s %12s %18s%n", "", "workers", "RTT, ms", "records/s", "CPU/record, us");
    for (int roundTripMillis : new int[] {0, 50}) {
      for (int workers : new int[] {1, 2}) {
        for (int batch : new int[] {1, 500}) {
          measure(roundTripMillis, workers, batch);
        }
      }
    }
  }

  private static void measure(int roundTripMillis, int workers, int batch) throws Exception {
    Path directory = Files.createTempDirectory("sdk-bench");
    try (StubServer main = StubServer.up();
        StubServer fallback = StubServer.down();
        DataNadhi client =
            DataNadhi.open(
                DataNadhiConfiguration.builder(directory)
                    .apiKey("bench-key")
                    .serverHost(main.url())
                    .fallbackHost(fallback.url())
                    .echoPostDisabled(true)
                    .workers(workers)
                    .batchSize(batch)
                    .queueSize(QUEUE_SIZE)
                    .exitTimeout(Duration.ZERO)
                    .build())) {
      main.keep(false);
      main.onDelivery(Behaviour.slow(roundTripMillis, ThroughputBenchmark::accept));
      submitFor(client, WARM_UP_NANOS);
      long deliveredBefore = client.counters().deliveredToMainServer();
      Map<Long, Long> cpuBefore = cpuOfSdkThreads();
      long start = System.nanoTime();
      submitFor(client, MEASUREMENT_NANOS);
      long delivered = client.counters().deliveredToMainServer() - deliveredBefore;
      double seconds = (System.nanoTime() - start) / 1e9;
      long cpu = 0;
      for (Map.Entry<Long, Long> thread : cpuOfSdkThreads().entrySet()) {
        cpu += thread.getValue() - cpuBefore.getOrDefault(thread.getKey(), 0L);
      }
      System.out.printf(
          Locale.ROOT,
          "%-12s %8d %8d %,12.0f %18.1f%n",
          batch == 1 ? "one by one" : "batches",
          workers,
          roundTripMillis,
          delivered / seconds,
          cpu / 1e3 / delivered);
      client.close();
      Counters end = client.counters();
      if (end.deliveredToMainServer() + end.droppedTotal() != end.submitted()) {
        throw new IllegalStateException("The counters do not add up: " + end);
      }
    } finally {
      Directories.delete(directory);
    }
  }

  private static void submitFor(DataNadhi client, long nanos) {
    long end = System.nanoTime() + nanos;
    int most = QUEUE_SIZE * 4 / 5;
    while (System.nanoTime() - end < 0) {
      int space = most - client.counters().queueDepth();
      for (int i = 0; i < space; i++) {
        var unused = client.submit(PIPELINES, PAYLOAD);
      }
      LockSupport.parkNanos(200_000);
    }
  }

  private static boolean accept(Request request, java.io.OutputStream out) throws IOException {
    boolean batch = "application/x-ndjson".equals(request.headers().get("content-type"));
    String answer = batch ? "{\"stored\":%d,\"errors\":[]}".formatted(lines(request)) : "";
    return Behaviour.status(
            200,
            answer,
            "Accept-Post: application/json, application/x-ndjson",
            "Accept-Encoding: gzip")
        .respond(request, out);
  }

  private static int lines(Request request) throws IOException {
    try (InputStream body = new GZIPInputStream(new ByteArrayInputStream(request.body()))) {
      int lines = 0;
      for (byte character : body.readAllBytes()) {
        lines += character == '\n' ? 1 : 0;
      }
      return lines;
    }
  }

  /** The processor time of the SDK's threads and of its HTTP client, by thread. */
  private static Map<Long, Long> cpuOfSdkThreads() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    Map<Long, Long> times = new HashMap<>();
    for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
      if (thread != null
          && (thread.getThreadName().startsWith("datanadhi-")
              || thread.getThreadName().startsWith("HttpClient-"))) {
        times.put(
            thread.getThreadId(), Math.max(0, threads.getThreadCpuTime(thread.getThreadId())));
      }
    }
    return times;
  }
}
