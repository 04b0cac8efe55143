package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import com.datanadhi.sdk.internal.time.Clock;
import java.time.Duration;
import java.util.List;

/**
 * Uploads batches of records to the fallback server, which passes them to the main server.
 * Thread-safe.
 */
public final class FallbackServer {
  /** The most records in a batch. */
  public static final int BATCH = 100;

  /** The most bytes of payloads in a batch, unless its first record has more. */
  public static final long BATCH_BYTES = 1 << 20;

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final ServerClient client;
  private final Clock clock;

  /** Sends its requests with {@code client}. */
  public FallbackServer(ServerClient client, Clock clock) {
    this.client = client;
    this.clock = clock;
  }

  /** Uploads at most {@link #BATCH} records within 30 s; the outcome is that of all of them. */
  public DeliveryOutcome upload(
      List<OutgoingRecord> records, ServerClient.Cancellation cancellation)
      throws InterruptedException {
    return client
        .post("/upload", RequestBodies.upload(records), 0, TIMEOUT, cancellation)
        .outcome(this::outcome);
  }

  /** The SDKs of all languages share this rule. */
  private DeliveryOutcome outcome(Exchange.Answered answer) {
    if (answer.isSuccess()) {
      return new DeliveryOutcome.Delivered();
    }
    return answer.status() >= 300 && answer.status() <= 500
        ? new DeliveryOutcome.Rejected(answer.status())
        : new DeliveryOutcome.Unavailable(Downtime.of(answer, clock.millis()));
  }
}
