package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.thread.SdkThread;
import com.datanadhi.sdk.internal.time.Waiter;
import java.lang.System.Logger.Level;
import java.time.Duration;

/**
 * Whether one server is up. It counts as up until a delivery marks it down; from then on a thread
 * probes it until it is healthy again. Thread-safe.
 */
public final class ServerHealth implements AutoCloseable {
  private final String name;
  private final ServerClient server;
  private final Duration interval;
  private final RateLimitedLog log;
  private final Waiter waiter;
  private volatile boolean up = true;
  private volatile boolean closed;
  private volatile Thread prober = Thread.currentThread();

  /**
   * A server that is up.
   *
   * @param name the server's name in log messages
   * @param interval the pause before each probe while the server is down
   */
  public ServerHealth(
      String name, ServerClient server, Duration interval, RateLimitedLog log, Waiter waiter) {
    this.name = name;
    this.server = server;
    this.interval = interval;
    this.log = log;
    this.waiter = waiter;
  }

  /** Whether the last delivery or probe found the server up. */
  public boolean isUp() {
    return up;
  }

  /** Marks the server down and starts to probe it; does nothing if it is down already. */
  public synchronized void markDown(String reason) {
    if (!up || closed) {
      return;
    }
    up = false;
    log.log(Level.WARNING, "The %s %s is down: %s".formatted(name, server.host(), reason));
    prober = SdkThread.named("datanadhi-probe", this::probe);
    prober.start();
  }

  private void probe() {
    try {
      do {
        waiter.sleep(interval);
      } while (!closed && !server.isHealthy());
      up = true;
      if (!closed) {
        log.log(Level.INFO, "The %s %s is up again".formatted(name, server.host()));
      }
    } catch (InterruptedException closing) {
      up = true;
    }
  }

  /** Stops the probes. */
  @Override
  public synchronized void close() {
    closed = true;
    if (!up) {
      prober.interrupt();
    }
  }
}
