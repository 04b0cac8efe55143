package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.time.Duration;
import java.util.List;

/**
 * Uploads batches of records to the fallback server, which passes them to the main server.
 * Thread-safe.
 */
public final class FallbackServer {
  /** The most records in a batch. */
  public static final int BATCH = 100;

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final ServerClient client;

  /** Sends its requests with {@code client}. */
  public FallbackServer(ServerClient client) {
    this.client = client;
  }

  /** Uploads at most {@link #BATCH} records within 30 s; the outcome is that of all of them. */
  public DeliveryOutcome upload(
      List<OutgoingRecord> records, ServerClient.Cancellation cancellation)
      throws InterruptedException {
    return DeliveryOutcome.of(
        client.post("/upload", RequestBodies.upload(records), 0, TIMEOUT, cancellation));
  }
}
