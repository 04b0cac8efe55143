package com.datanadhi.hub.apply;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Stops a loop, or wakes it from its pause. Thread-safe.
public final class LoopSignal {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean isWoken;
  private volatile boolean isStopped;

  public boolean isStopped() {
    return isStopped;
  }

  /// Ends the loop and its pause.
  public void stop() {
    lock.lock();
    try {
      isStopped = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Ends the pause, or the next one if the loop works now.
  public void wake() {
    lock.lock();
    try {
      isWoken = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Waits until it is woken or stopped, at most this long.
  public void pause(Duration longest) throws InterruptedException {
    long left = longest.toNanos();
    lock.lockInterruptibly();
    try {
      while (!isStopped && !isWoken && left > 0) {
        left = changed.awaitNanos(left);
      }
      isWoken = false;
    } finally {
      lock.unlock();
    }
  }
}
