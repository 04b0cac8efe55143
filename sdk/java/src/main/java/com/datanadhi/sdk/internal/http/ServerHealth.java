package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.DeliveryFailure.Kind;
import com.datanadhi.sdk.internal.listener.FailureReports;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.thread.SdkThread;
import com.datanadhi.sdk.internal.time.Clock;
import com.datanadhi.sdk.internal.time.Waiter;
import java.lang.System.Logger.Level;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Whether one server is up. It counts as up until a delivery marks it down; from then on a thread
 * probes it until it answers. If deliveries fail again and again although it answers, the pauses
 * become longer. Thread-safe.
 */
public final class ServerHealth implements AutoCloseable {
  private static final Duration MAX_PAUSE = Duration.ofSeconds(30);
  private static final Duration EXPECTED_BACK = Duration.ofSeconds(30);

  private final String name;
  private final ServerClient server;
  private final Duration interval;
  private final RateLimitedLog log;
  private final FailureReports failures;
  private final Clock clock;
  private final Waiter waiter;
  private volatile boolean up = true;
  private volatile boolean closed;
  private volatile boolean lastAnswered;
  private volatile int failuresInARow;
  private volatile long firstFailureAt;
  private long notBefore;
  private long startAt;

  /** Null if none runs; also while no thread can be made. */
  private volatile @Nullable Thread prober;

  /**
   * A server that is up.
   *
   * @param name the server's name in log messages
   * @param interval the pause before each probe while the server is down
   */
  public ServerHealth(
      String name,
      ServerClient server,
      Duration interval,
      RateLimitedLog log,
      FailureReports failures,
      Clock clock,
      Waiter waiter) {
    this.name = name;
    this.server = server;
    this.interval = interval;
    this.log = log;
    this.failures = failures;
    this.clock = clock;
    this.waiter = waiter;
  }

  /** Whether the last delivery or probe found the server up; false when this is closed. */
  public boolean isUp() {
    if (!up && prober == null) {
      startProber();
    }
    return up && !closed;
  }

  /**
   * Whether the server is down, but answers, and has delivered nothing for less than 30 s: records
   * without another destination wait for it that long.
   */
  public boolean isExpectedBack() {
    return failuresInARow > 0
        && lastAnswered
        && clock.nanos() - firstFailureAt < EXPECTED_BACK.toNanos();
  }

  /** The server has accepted records. */
  public void markDelivered() {
    if (failuresInARow > 0) {
      failuresInARow = 0;
    }
  }

  /** Marks the server down and starts to probe it; does nothing if it is down already. */
  public void markDown(Downtime downtime) {
    // Not under the lock: close() would wait for the application's logging.
    if (goDown(downtime)) {
      log.logRateLimited(
          Level.WARNING,
          name + " down",
          "The %s %s is down: %s".formatted(name, server.host(), downtime.reason()));
      failures.report(Kind.SERVER_DOWN, name, server.host() + ": " + downtime.reason(), 0);
    }
  }

  private synchronized boolean goDown(Downtime downtime) {
    if (!up || closed) {
      return false;
    }
    if (failuresInARow == 0) {
      firstFailureAt = clock.nanos();
    }
    up = false;
    lastAnswered = downtime.answered();
    notBefore = clock.nanos() + pause(downtime).toNanos();
    failuresInARow++;
    startAt = clock.nanos();
    startProber();
    return true;
  }

  /** At most one attempt in an interval: for a while, no thread can be made. */
  private synchronized void startProber() {
    if (up || closed || prober != null || clock.nanos() - startAt < 0) {
      return;
    }
    startAt = clock.nanos() + interval.toNanos();
    long until = notBefore;
    Thread thread = SdkThread.named("datanadhi-probe", () -> probe(until));
    if (SdkThread.start(thread)) {
      prober = thread;
    }
  }

  /** The interval, doubled with each failure in a row up to 30 s, or what the server asks for. */
  private Duration pause(Downtime downtime) {
    Duration doubled = interval.multipliedBy(1L << Math.min(failuresInARow, 10));
    Duration pause = doubled.compareTo(MAX_PAUSE) > 0 ? MAX_PAUSE : doubled;
    return pause.compareTo(downtime.retryAfter()) > 0 ? pause : downtime.retryAfter();
  }

  private void probe(long until) {
    try {
      ProbeResult result;
      do {
        waiter.sleep(interval);
        result = probe();
      } while (!closed && (result == ProbeResult.UNAVAILABLE || clock.nanos() - until < 0));
    } catch (InterruptedException closing) {
      // Nobody needs to know whether it is up.
    }
    endProbes();
    if (!closed) {
      log.logRateLimited(
          Level.INFO, name + " up", "The %s %s is up again".formatted(name, server.host()));
    }
  }

  private ProbeResult probe() throws InterruptedException {
    try {
      return closed ? ProbeResult.HEALTHY : server.probe();
    } catch (RuntimeException | Error failed) {
      // For example because there is no thread for the request.
      log.logRateLimited(
          Level.WARNING,
          name + " probe",
          "The %s %s could not be probed: %s".formatted(name, server.host(), failed));
      return ProbeResult.UNAVAILABLE;
    }
  }

  private synchronized void endProbes() {
    up = true;
    prober = null;
  }

  /** Stops the probes. */
  @Override
  public synchronized void close() {
    closed = true;
    Thread running = prober;
    if (running != null) {
      running.interrupt();
    }
  }
}
