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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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
  private final CountDownLatch closing = new CountDownLatch(1);
  private @Nullable Thread thread;
  private boolean noThread;

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
      if (isClosed()) {
        return;
      }
      waiting.merge(
          new Subject(kind, subject),
          new DeliveryFailure(kind, subject, detail, records),
          (earlier, later) ->
              new DeliveryFailure(
                  kind, subject, later.detail(), earlier.records() + later.records()));
      startThread();
      notifyAll();
    }
  }

  /**
   * Starts the thread if failures wait and there was none for it when they were reported. To be
   * called about twice a second.
   */
  public synchronized void tryAgain() {
    noThread = false;
    if (!waiting.isEmpty()) {
      startThread();
    }
  }

  private synchronized void startThread() {
    if (thread == null && !noThread) {
      Thread made = SdkThread.named("datanadhi-listener", () -> run(listener.orElseThrow()));
      if (SdkThread.start(made)) {
        thread = made;
      } else {
        noThread = true;
      }
    }
  }

  private void run(FailureListener to) {
    boolean isLast = false;
    while (!isLast) {
      try {
        List<DeliveryFailure> next = take();
        next.forEach(failure -> tell(to, failure));
        isLast = next.isEmpty();
        boolean unused = closing.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException interrupted) {
        // By the listener itself, unless this is closed, and the listener has had its time.
        isLast = isClosed();
      }
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
    while (waiting.isEmpty() && !isClosed()) {
      wait();
    }
    List<DeliveryFailure> taken = List.copyOf(waiting.values());
    waiting.clear();
    return taken;
  }

  private boolean isClosed() {
    return closing.getCount() == 0;
  }

  /** Waits for up to 1 s until the listener has been told all, and ends its thread. */
  @Override
  public void close() {
    Thread started;
    synchronized (this) {
      closing.countDown();
      notifyAll();
      tryAgain();
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
