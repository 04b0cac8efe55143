package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.time.Duration;
import java.util.List;

/** Where records belong. */
public final class MainServer {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final ServerClient server;

  /** Speaks with {@code server}. */
  public MainServer(ServerClient server) {
    this.server = server;
  }

  /** One record, within 10 s. */
  public DeliveryOutcome deliver(OutgoingRecord entry, ServerClient.Call call)
      throws InterruptedException {
    return server.post(
        "/log", "application/json", RequestBodies.one(entry), List.of(entry.key()), TIMEOUT, call);
  }
}
