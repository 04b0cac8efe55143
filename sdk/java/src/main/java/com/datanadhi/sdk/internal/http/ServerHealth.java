package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.thread.SdkThread;
import java.lang.System.Logger.Level;
import java.time.Duration;

/**
 * Whether a server is up: it is, until a delivery says otherwise; then a probe finds it up again.
 */
public final class ServerHealth implements AutoCloseable {
  private final String name;
  private final ServerClient server;
  private final Duration interval;
  private final RateLimitedLog notices;
  private volatile boolean up = true;
  private volatile boolean closed;
  private volatile Thread prober = Thread.currentThread();

  /** Probes every {@code interval} while the server is down. */
  public ServerHealth(String name, ServerClient server, Duration interval, RateLimitedLog notices) {
    this.name = name;
    this.server = server;
    this.interval = interval;
    this.notices = notices;
  }

  /** As far as is known. */
  public boolean isUp() {
    return up;
  }

  /** A delivery found it down. */
  public synchronized void isDown(String why) {
    if (!up || closed) {
      return;
    }
    up = false;
    notices.say(Level.WARNING, "The %s %s is down: %s".formatted(name, server.host(), why));
    prober = SdkThread.named("datanadhi-probe", this::probe);
    prober.start();
  }

  private void probe() {
    try {
      do {
        Thread.sleep(interval.toMillis());
      } while (!closed && !server.isWell());
      up = true;
      if (!closed) {
        notices.say(Level.INFO, "The %s %s is up again".formatted(name, server.host()));
      }
    } catch (InterruptedException ended) {
      up = true;
    }
  }

  /** Ends the probe. */
  @Override
  public synchronized void close() {
    closed = true;
    if (!up) {
      prober.interrupt();
    }
  }
}
