package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.queue.QueueLimits;
import com.datanadhi.sdk.internal.queue.RecordQueue;
import com.datanadhi.sdk.internal.time.Waiter;
import java.lang.System.Logger.Level;
import java.time.Duration;

/**
 * Frees space in the queue before it is full. When it is 90 % full, the drain sends batches to the
 * fallback server, or to EchoPost while that server is down, until it is 10 % full. When it is 95 %
 * full, because records arrive faster than that or neither is available, the spill writes batches
 * to files.
 *
 * <p>A single worker is paused while the drain works: if both gave records back to the queue at the
 * same time, records would be delivered out of order.
 */
final class Overflow {
  private static final double DRAINED = 0.1;
  private static final long WAIT_MILLIS = 1_000;
  private static final Duration DRAIN_PAUSE = Duration.ofMillis(5);
  private static final Duration SPILL_PAUSE = Duration.ofMillis(50);

  private final RecordQueue queue;
  private final Destinations destinations;
  private final RecordCounts counts;
  private final RateLimitedLog log;
  private final Waiter waiter;
  private final Dispatcher drainDispatcher;
  private final Dispatcher spillDispatcher;
  private long reportedRefused;
  private long reportedWithheld;

  Overflow(
      RecordQueue queue,
      Destinations destinations,
      RecordCounts counts,
      RateLimitedLog log,
      Waiter waiter) {
    this.queue = queue;
    this.destinations = destinations;
    this.counts = counts;
    this.log = log;
    this.waiter = waiter;
    this.drainDispatcher = new Dispatcher(queue, destinations, counts, log);
    this.spillDispatcher = new Dispatcher(queue, destinations, counts, log);
  }

  /**
   * One turn of the drain thread, for several workers: drains the queue if it is 90 % full, and
   * waits for that for at most a second.
   */
  void drain(LoopThread drainThread) throws InterruptedException {
    if (awaitDrainNeeded()) {
      drainQueue(drainThread);
    }
  }

  /** As {@link #drain}, for a single worker, which waits meanwhile. */
  void drainWhilePaused(LoopThread drainThread, WorkerPause pause, Dispatcher worker)
      throws InterruptedException {
    if (!awaitDrainNeeded()) {
      return;
    }
    pause.begin();
    try {
      worker.cancelRequests();
      pause.awaitWorker();
      worker.allowRequests();
      drainQueue(drainThread);
    } finally {
      worker.allowRequests();
      pause.end();
    }
  }

  private boolean awaitDrainNeeded() throws InterruptedException {
    queue.nearlyFull().await(WAIT_MILLIS);
    if (queue.nearlyFull().isReached() && canDrain()) {
      return true;
    }
    waiter.sleep(DRAIN_PAUSE);
    return false;
  }

  private boolean canDrain() {
    return destinations.fallbackServerHealth().isUp() || destinations.echoPost().isUsable();
  }

  private void drainQueue(LoopThread drainThread) throws InterruptedException {
    while (!drainThread.isStopped() && queue.isFilledTo(DRAINED) && canDrain()) {
      boolean toFallback = destinations.fallbackServerHealth().isUp();
      boolean drained =
          toFallback
              ? drainDispatcher.toFallbackServer("drain_worker_failed")
              : drainDispatcher.toEchoPost();
      if (!drained && toFallback == destinations.fallbackServerHealth().isUp()) {
        return;
      }
    }
  }

  /** One turn of the spill thread: writes a batch to a file if the queue is 95 % full. */
  void spill() throws InterruptedException {
    queue.full().await(WAIT_MILLIS);
    reportRefused();
    reportWithheld();
    if (queue.full().isReached()
        && !spillDispatcher.toFile("queue_full", "The queue is 95 % full")) {
      waiter.sleep(SPILL_PAUSE);
    }
  }

  /** Called by the spill thread and not in submit, where the application would wait for its log. */
  private void reportRefused() {
    long now = counts.refused();
    if (now > reportedRefused && !queue.isClosed()) {
      reportedRefused = now;
      QueueLimits limits = queue.limits();
      log.logRateLimited(
          Level.ERROR,
          "refused",
          ("The queue was full: submit has refused %d records so far. Log less, or set a larger"
                  + " async.queue_bytes (now %,d) or async.queue_size (now %s)")
              .formatted(now, limits.bytes(), limits.recordsForPeople()));
    }
  }

  /** As {@link #reportRefused}. */
  private void reportWithheld() {
    long now = counts.withheld();
    if (now > reportedWithheld) {
      reportedWithheld = now;
      log.logRateLimited(
          Level.ERROR, "withheld", "%s (%d so far)".formatted(counts.lastWithheld(), now));
    }
  }

  /** Cancels the drain's request, so that the drain thread can end. */
  void cancelRequests() {
    drainDispatcher.cancelRequests();
  }
}
