package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.queue.LogEntry;
import java.time.Duration;
import java.util.List;

/** Where records belong. */
public final class MainServer {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final Server server;

  /** Speaks with {@code server}. */
  public MainServer(Server server) {
    this.server = server;
  }

  /** One record, within 10 s. */
  public Answer deliver(LogEntry entry, Server.Call call) throws InterruptedException {
    return server.post(
        "/log", "application/json", Bodies.one(entry), List.of(entry.key()), TIMEOUT, call);
  }
}
