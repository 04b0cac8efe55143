package com.datanadhi.sdk.testkit;

import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.DataNadhiConfiguration;
import com.datanadhi.sdk.EchoPostState;
import com.datanadhi.testkit.Polling;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;

/**
 * An application in its own process. Its arguments are the directory, the URLs of the main server
 * and of the fallback server, the number of workers, the number of records and the first sequence
 * number. It prints {@code ready} and waits for a line on standard input. Then it submits the
 * records, prints {@code done} with its counters, and waits for a second line. It exits without
 * closing the client.
 */
public final class Application {
  private static final Duration PREPARATION_TIME_LIMIT = Duration.ofMinutes(5);

  private Application() {}

  public static void main(String[] args) throws Exception {
    run(args, DataNadhi::open);
  }

  /** Runs the application with a client that {@code opening} creates. */
  public static void run(String[] args, Function<DataNadhiConfiguration, DataNadhi> opening)
      throws Exception {
    int workers = Integer.parseInt(args[3]);
    int records = Integer.parseInt(args[4]);
    int first = Integer.parseInt(args[5]);
    DataNadhi client =
        opening.apply(
            DataNadhiConfiguration.builder(Path.of(args[0]))
                .apiKey("test-key")
                .serverHost(args[1])
                .fallbackHost(args[2])
                .downloadUrl(System.getProperty("download.url", "http://127.0.0.1:9"))
                .workers(workers)
                .build());
    Polling.until(
        () -> client.counters().echoPost().status() != EchoPostState.Status.PREPARING,
        Duration.ofMillis(1),
        PREPARATION_TIME_LIMIT,
        () -> "EchoPost is not prepared: " + client.counters());
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
