package com.datanadhi.hub.query;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Shares of something of which there is not enough for everybody. A tenant has at most half of
/// them, unless it asks for more at once and has none yet: so none can lock out the others.
/// Thread-safe.
public final class Shares {
  private final int all;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition released = lock.newCondition();
  private final Map<String, Integer> heldByTenant = new HashMap<>();
  private int held;

  /// @param all how many there are
  public Shares(int all) {
    this.all = all;
  }

  int all() {
    return all;
  }

  /// Takes shares if there are so many in time. They are given back by [#release].
  public boolean acquire(String tenant, int wanted, Duration patience) throws InterruptedException {
    long left = patience.toNanos();
    lock.lockInterruptibly();
    try {
      while (!fits(tenant, wanted)) {
        if (left <= 0) {
          return false;
        }
        left = released.awaitNanos(left);
      }
      held += wanted;
      heldByTenant.merge(tenant, wanted, Integer::sum);
      return true;
    } finally {
      lock.unlock();
    }
  }

  private boolean fits(String tenant, int wanted) {
    int own = heldByTenant.getOrDefault(tenant, 0);
    return held + wanted <= all && (own == 0 || own + wanted <= all / 2);
  }

  /// Gives shares back.
  public void release(String tenant, int given) {
    lock.lock();
    try {
      held -= given;
      heldByTenant.computeIfPresent(tenant, (_, own) -> own == given ? null : own - given);
      released.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
