package com.datanadhi.sdk.internal.listener;

import com.datanadhi.sdk.DeliveryFailure;
import com.datanadhi.sdk.DeliveryFailure.Kind;
import com.datanadhi.sdk.FailureListener;
import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.thread.SdkThread;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Passes failures on to the application's listener, on a thread of its own. Those of the same kind
 * and subject are added up while it is busy. Thread-safe; to report takes no time.
 */
public final class FailureReports implements AutoCloseable {
  private static final Duration PAUSE = Duration.ofMillis(100);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);

  private final Optional<FailureListener> listener;
  private final RateLimitedLog log;
  private final Map<Subject, DeliveryFailure> waiting = new LinkedHashMap<>();
  private @Nullable Thread thread;
  private boolean closed;

  /** Reports to {@code listener}, if there is one. */
  public FailureReports(Optional<FailureListener> listener, RateLimitedLog log) {
    this.listener = listener;
    this.log = log;
  }

  private record Subject(Kind kind, String name) {}

  /** Reports a failure; after {@link #close} it is ignored. */
  public void report(Kind kind, String subject, String detail, long records) {
    if (listener.isEmpty()) {
      return;
    }
    synchronized (this) {
      if (closed) {
        return;
      }
      waiting.merge(
          new Subject(kind, subject),
          new DeliveryFailure(kind, subject, detail, records),
          (earlier, later) ->
              new DeliveryFailure(
                  kind, subject, later.detail(), earlier.records() + later.records()));
      if (thread == null) {
        thread = SdkThread.named("datanadhi-listener", () -> run(listener.get()));
        thread.start();
      }
      notifyAll();
    }
  }

  private void run(FailureListener to) {
    try {
      for (List<DeliveryFailure> next = take(); !next.isEmpty(); next = take()) {
        for (DeliveryFailure failure : next) {
          tell(to, failure);
        }
        pause();
      }
    } catch (InterruptedException closedMeanwhile) {
      // The listener has had its time.
    }
  }

  private void tell(FailureListener to, DeliveryFailure failure) {
    try {
      to.onFailure(failure);
    } catch (RuntimeException | Error failed) {
      log.logRateLimited(
          Level.WARNING, "listener", "The failure listener has thrown an exception: " + failed);
    }
  }

  /** Waits for failures; none means that this is closed. */
  private synchronized List<DeliveryFailure> take() throws InterruptedException {
    while (waiting.isEmpty() && !closed) {
      wait();
    }
    List<DeliveryFailure> taken = List.copyOf(waiting.values());
    waiting.clear();
    return taken;
  }

  private synchronized void pause() throws InterruptedException {
    long end = System.nanoTime() + PAUSE.toNanos();
    long left = PAUSE.toMillis();
    while (left > 0 && !closed) {
      wait(left);
      left = (end - System.nanoTime()) / 1_000_000;
    }
  }

  /** Waits for up to 1 s until the listener has been told all, and ends its thread. */
  @Override
  public void close() {
    Thread started;
    synchronized (this) {
      closed = true;
      notifyAll();
      started = thread;
    }
    if (started == null || started.equals(Thread.currentThread())) {
      return;
    }
    try {
      started.join(CLOSE_TIMEOUT.toMillis());
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    }
    started.interrupt();
  }
}
