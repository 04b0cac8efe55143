package com.datanadhi.sdk;

import com.datanadhi.sdk.internal.echopost.EchoPost;
import com.datanadhi.sdk.internal.http.JdkTransport;
import com.datanadhi.sdk.internal.http.Proxies;
import com.datanadhi.sdk.internal.listener.FailureReports;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A process in which twenty threads check at the same moment whether the agent's socket exists and
 * then send one record each. It prints {@code ready}, waits for a line on standard input, and
 * prints how many threads found no socket and how many records were stored.
 */
public final class StartRaceApplication {
  private static final int THREADS = 20;

  private StartRaceApplication() {}

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]);
    ExecutorService io = Executors.newCachedThreadPool();
    ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    DataNadhiConfiguration configuration =
        DataNadhiConfiguration.builder(directory)
            .apiKey("test-key")
            .serverHost("http://127.0.0.1:9")
            .fallbackHost("http://127.0.0.1:9")
            .build();
    AtomicInteger withoutSocket = new AtomicInteger();
    AtomicInteger stored = new AtomicInteger();
    try (EchoPost echoPost =
        new EchoPost(
            configuration,
            AbstractSdkTest.TIMEOUTS,
            new JdkTransport(HttpClient::newHttpClient, Proxies.none()),
            io,
            timer,
            new RateLimitedLog(Clock.system()),
            new FailureReports(Optional.empty(), new RateLimitedLog(Clock.system())),
            Clock.system(),
            Waiter.system())) {
      CyclicBarrier barrier = new CyclicBarrier(THREADS);
      System.out.println("ready");
      if (System.in.read() < 0) {
        return;
      }
      Thread[] threads = new Thread[THREADS];
      for (int i = 0; i < THREADS; i++) {
        OutgoingRecord record =
            new OutgoingRecord(
                List.of("test"), "{\"seq\":" + i + "}", ProcessHandle.current().pid() + "-" + i);
        threads[i] =
            new Thread(() -> {
              try {
                barrier.await();
                if (!Files.exists(directory.resolve("echopost/data-nadhi-agent.sock"))) {
                  withoutSocket.incrementAndGet();
                }
                stored.addAndGet(echoPost.send(List.of(record)).stored().size());
              } catch (Exception failed) {
                failed.printStackTrace();
              }
            });
        threads[i].start();
      }
      for (Thread thread : threads) {
        thread.join();
      }
    }
    System.out.println(withoutSocket + " threads found no socket, " + stored + " records stored");
    io.shutdownNow();
    timer.shutdownNow();
  }
}
