package com.datanadhi.sdk;

import com.datanadhi.sdk.internal.echopost.EchoPost;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A process in which twenty threads look for the socket of a directory at once, and then send a
 * record each. It prints {@code ready}, waits for a line, and prints how many found the socket
 * missing and how many records were stored.
 */
public final class StartRaceApplication {
  private static final int THREADS = 20;

  private StartRaceApplication() {}

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(args[0]);
    ExecutorService io = Executors.newCachedThreadPool();
    ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    Configuration configuration =
        Configuration.builder(directory)
            .apiKey("test-key")
            .serverHost("http://127.0.0.1:9")
            .fallbackHost("http://127.0.0.1:9")
            .build();
    AtomicInteger missing = new AtomicInteger();
    AtomicInteger stored = new AtomicInteger();
    try (EchoPost echoPost =
        new EchoPost(
            configuration,
            AbstractSdkTest.TIMEOUTS,
            HttpClient.newHttpClient(),
            io,
            timer,
            new RateLimitedLog())) {
      CyclicBarrier barrier = new CyclicBarrier(THREADS);
      System.out.println("ready");
      if (System.in.read() < 0) {
        return;
      }
      Thread[] threads = new Thread[THREADS];
      for (int i = 0; i < THREADS; i++) {
        OutgoingRecord entry =
            new OutgoingRecord(
                List.of("test"), "{\"seq\":" + i + "}", ProcessHandle.current().pid() + "-" + i);
        threads[i] =
            new Thread(() -> {
              try {
                barrier.await();
                if (!Files.exists(directory.resolve("echopost/data-nadhi-agent.sock"))) {
                  missing.incrementAndGet();
                }
                stored.addAndGet(echoPost.send(List.of(entry)).stored().size());
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
    System.out.println(missing + " found it missing, " + stored + " stored");
    io.shutdownNow();
    timer.shutdownNow();
  }
}
