package com.datanadhi.sdk.testkit;

import com.datanadhi.sdk.Configuration;
import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.EchoPostState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;

/**
 * An application in a process of its own. Arguments: the directory, the servers' URLs, how many
 * workers, how many records, the first record's number. It prints {@code ready}, waits for a line,
 * submits, prints {@code done} and its counters; waits for a second line, and ends as applications
 * do: without closing anything.
 */
public final class Application {
  private Application() {}

  public static void main(String[] args) throws Exception {
    run(args, DataNadhi::open);
  }

  /** With a client of another making. */
  public static void run(String[] args, Function<Configuration, DataNadhi> opening)
      throws Exception {
    int workers = Integer.parseInt(args[3]);
    int records = Integer.parseInt(args[4]);
    int first = Integer.parseInt(args[5]);
    DataNadhi client =
        opening.apply(
            Configuration.builder(Path.of(args[0]))
                .apiKey("test-key")
                .serverHost(args[1])
                .fallbackHost(args[2])
                .downloadUrl(System.getProperty("download.url", "http://127.0.0.1:9"))
                .workers(workers)
                .build());
    while (client.counters().echoPost().status() == EchoPostState.Status.PREPARING) {
      Thread.sleep(1);
    }
    System.out.println("ready");
    if (System.in.read() < 0) {
      return;
    }
    CountDownLatch submitted = new CountDownLatch(records);
    for (int i = 0; i < records; i++) {
      int seq = first + i;
      new Thread(
              () -> {
                client.submit(List.of("test"), Map.of("seq", seq));
                submitted.countDown();
              })
          .start();
    }
    submitted.await();
    boolean flushed = client.flush(Duration.ofSeconds(60));
    Counters counters = client.counters();
    System.out.println("done " + flushed + " " + counters);
    int unused = System.in.read();
  }
}
