package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.thread.SdkThread;
import com.datanadhi.sdk.internal.time.Waiter;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;

/**
 * A thread that runs the same turn again and again until it is stopped. An error in a turn is
 * logged, and the thread continues with the next turn. Thread-safe.
 */
final class LoopThread {
  private static final Duration PAUSE_AFTER_ERROR = Duration.ofMillis(200);

  private final String name;
  private final Turn turn;
  private final RateLimitedLog log;
  private final Waiter waiter;
  private final Thread thread;
  private volatile boolean stopped;

  LoopThread(String name, RateLimitedLog log, Waiter waiter, Turn turn) {
    this.name = name;
    this.turn = turn;
    this.log = log;
    this.waiter = waiter;
    this.thread = SdkThread.named(name, this::run);
  }

  /** Returns false if no thread can be made now. */
  boolean start() {
    return SdkThread.start(thread);
  }

  private void run() {
    while (!stopped) {
      try {
        turn.run();
      } catch (InterruptedException stopping) {
        // Only stop() interrupts this thread.
      } catch (Throwable unexpected) {
        log.logRateLimited(
            Level.ERROR, name, "Error in thread " + name + ", which continues: " + unexpected);
        pause();
      }
    }
  }

  private void pause() {
    try {
      waiter.sleep(PAUSE_AFTER_ERROR);
    } catch (InterruptedException stopping) {
      // The loop checks whether the thread is stopped.
    }
  }

  /** Starts no further turn, and interrupts the one that runs. */
  void stop() {
    stopped = true;
    thread.interrupt();
  }

  boolean isStopped() {
    return stopped;
  }

  /** Waits until the thread has ended, for at most {@code timeout}. */
  void awaitEnd(Duration timeout) throws InterruptedException {
    thread.join(timeout.toMillis());
  }

  /** One turn of the loop. */
  interface Turn {
    void run() throws InterruptedException, IOException;
  }
}
