package com.datanadhi.sdk;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * An application that submits records of 1 MiB as fast as it can. Its arguments are the directory
 * and the URL of the main server. It prints its counters when all records are delivered or in
 * files.
 */
public final class LargeRecordsApplication {
  /** How many records are submitted. */
  static final int RECORDS = 200;

  private LargeRecordsApplication() {}

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
    String filling = "x".repeat(1 << 20);
    for (int seq = 0; seq < RECORDS; ) {
      if (client
          .submit(List.of("test"), Map.of("seq", seq, "x", filling), Duration.ofMillis(100))
          .isAccepted()) {
        seq++;
      }
    }
    client.close();
    Counters end = client.counters();
    System.out.printf(
        "%d %d %d %d%n", end.submitted(), end.delivered(), end.droppedTotal(), end.lost());
  }
}
