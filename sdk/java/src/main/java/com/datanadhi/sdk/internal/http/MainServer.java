package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.time.Duration;
import java.util.List;

/** Delivers records to the main server, one per request. Thread-safe. */
public final class MainServer {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final ServerClient client;

  /** Sends its requests with {@code client}. */
  public MainServer(ServerClient client) {
    this.client = client;
  }

  /** Delivers one record within 10 s. */
  public DeliveryOutcome deliver(OutgoingRecord record, ServerClient.Cancellation cancellation)
      throws InterruptedException {
    return client.post(
        "/log",
        "application/json",
        RequestBodies.single(record),
        List.of(record.key()),
        TIMEOUT,
        cancellation);
  }
}
