package com.datanadhi.echopost.time;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Lets a loop wait until a time has passed or another thread wakes it.
///
/// A wake-up before the wait is not lost: the next [#await] returns at once. Several wake-ups
/// before one wait count as one. Thread-safe; for one waiting thread.
public final class Waiter {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition woken = lock.newCondition();
  private boolean wakeUp;

  /// Ends the current wait, or the next one.
  public void wake() {
    lock.lock();
    try {
      wakeUp = true;
      woken.signal();
    } finally {
      lock.unlock();
    }
  }

  /// Forgets a wake-up whose cause the waiting thread has handled without a wait.
  public void clear() {
    lock.lock();
    try {
      wakeUp = false;
    } finally {
      lock.unlock();
    }
  }

  /// Waits until woken, or until `longest` has passed; zero or less returns at once.
  ///
  /// @throws InterruptedException when the thread is interrupted before or while it waits
  public void await(Duration longest) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = longest.toNanos();
      while (!wakeUp && left > 0) {
        left = woken.awaitNanos(left);
      }
      wakeUp = false;
    } finally {
      lock.unlock();
    }
  }
}
