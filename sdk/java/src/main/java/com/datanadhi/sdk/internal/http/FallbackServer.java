package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.time.Duration;
import java.util.List;

/** Takes records in batches for the main server. */
public final class FallbackServer {
  /** Records in a batch. */
  public static final int BATCH = 100;

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final ServerClient server;

  /** Speaks with {@code server}. */
  public FallbackServer(ServerClient server) {
    this.server = server;
  }

  /** At most {@link #BATCH} records, within 30 s; all or none of them are delivered. */
  public DeliveryOutcome upload(List<OutgoingRecord> entries, ServerClient.Call call)
      throws InterruptedException {
    List<String> keys = entries.stream().map(OutgoingRecord::key).toList();
    return server.post(
        "/upload", "application/octet-stream", RequestBodies.batch(entries), keys, TIMEOUT, call);
  }
}
