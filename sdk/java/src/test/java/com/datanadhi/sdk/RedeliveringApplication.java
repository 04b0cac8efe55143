package com.datanadhi.sdk;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/**
 * An application that has nothing to deliver but what is in files. Its arguments are the directory
 * and the URL of the main server. It prints {@code open} and never ends.
 */
public final class RedeliveringApplication {
  private RedeliveringApplication() {}

  public static void main(String[] args) throws Exception {
    DataNadhi client =
        DataNadhi.open(
            DataNadhiConfiguration.builder(Path.of(args[0]))
                .apiKey("test-key")
                .serverHost(args[1])
                .fallbackHost("http://127.0.0.1:1")
                .echoPostDisabled(true)
                .exitTimeout(Duration.ZERO)
                .build());
    System.out.println("open");
    new CountDownLatch(1).await();
    client.close();
  }
}
