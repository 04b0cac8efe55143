package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.logging.RateLimitedLog;
import com.datanadhi.sdk.internal.thread.SdkThread;
import java.lang.System.Logger.Level;
import java.time.Duration;

/**
 * A thread that takes one turn after the other until it is told to stop, whatever a turn throws.
 */
final class LoopThread {
  private final String name;
  private final Turn turn;
  private final RateLimitedLog notices;
  private final Thread thread;
  private volatile boolean stopped;

  LoopThread(String name, RateLimitedLog notices, Turn turn) {
    this.name = name;
    this.turn = turn;
    this.notices = notices;
    this.thread = SdkThread.named(name, this::run);
  }

  void start() {
    thread.start();
  }

  private void run() {
    while (!stopped) {
      try {
        turn.take();
      } catch (InterruptedException again) {
        // Only stop interrupts.
      } catch (Throwable unexpected) {
        notices.sayAtTimes(Level.ERROR, name, name + " goes on after " + unexpected);
        pause();
      }
    }
  }

  private void pause() {
    try {
      Thread.sleep(200);
    } catch (InterruptedException stopping) {
      // The loop sees to it.
    }
  }

  /** Takes no further turn, and none that waits. */
  void stop() {
    stopped = true;
    thread.interrupt();
  }

  boolean isStopped() {
    return stopped;
  }

  /** Returns once it has ended, or after {@code longest}. */
  void awaitEnd(Duration longest) throws InterruptedException {
    thread.join(longest.toMillis());
  }

  interface Turn {
    void take() throws InterruptedException;
  }
}
