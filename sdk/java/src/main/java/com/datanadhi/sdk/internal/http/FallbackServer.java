package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.queue.LogEntry;
import java.time.Duration;
import java.util.List;

/** Takes records in batches for the main server. */
public final class FallbackServer {
  /** Records in a batch. */
  public static final int BATCH = 100;

  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final Server server;

  /** Speaks with {@code server}. */
  public FallbackServer(Server server) {
    this.server = server;
  }

  /** At most {@link #BATCH} records, within 30 s; all or none of them are delivered. */
  public Answer upload(List<LogEntry> entries, Server.Call call) throws InterruptedException {
    List<String> keys = entries.stream().map(LogEntry::key).toList();
    return server.post(
        "/upload", "application/octet-stream", Bodies.batch(entries), keys, TIMEOUT, call);
  }
}
