package com.datanadhi.hub.apply;

import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// How far each tenant's database is, as last seen, and those who wait for more. Thread-safe.
final class Positions implements AppliedPositions {
  private final String stream;
  private final TenantDatabases databases;
  private final Map<String, Progress> tenants = new ConcurrentHashMap<>();

  Positions(String stream, TenantDatabases databases) {
    this.stream = stream;
    this.databases = databases;
  }

  private static final class Progress {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition advanced = lock.newCondition();
    private TenantMark mark = TenantMark.NONE;
    private boolean isSet;

    void set(TenantMark newMark) {
      lock.lock();
      try {
        mark = newMark;
        isSet = true;
        advanced.signalAll();
      } finally {
        lock.unlock();
      }
    }

    void setIfUnset(TenantMark newMark) {
      lock.lock();
      try {
        if (!isSet) {
          set(newMark);
        }
      } finally {
        lock.unlock();
      }
    }

    @Nullable TenantMark get() {
      lock.lock();
      try {
        return isSet ? mark : null;
      } finally {
        lock.unlock();
      }
    }

    boolean await(ToLongFunction<TenantMark> value, long wanted, Duration timeout)
        throws InterruptedException {
      long left = timeout.toNanos();
      lock.lockInterruptibly();
      try {
        while (value.applyAsLong(mark) < wanted) {
          if (left <= 0) {
            return false;
          }
          left = advanced.awaitNanos(left);
        }
        return true;
      } finally {
        lock.unlock();
      }
    }
  }

  void set(String tenant, TenantMark mark) {
    progress(tenant).set(mark);
  }

  /// How far the tenant is, or null if nothing was seen of it.
  @Nullable TenantMark get(String tenant) {
    Progress progress = tenants.get(tenant);
    return progress == null ? null : progress.get();
  }

  Map<String, TenantMark> all() {
    Map<String, TenantMark> marks = new HashMap<>();
    tenants.forEach((tenant, progress) -> {
      TenantMark mark = progress.get();
      if (mark != null) {
        marks.put(tenant, mark);
      }
    });
    return marks;
  }

  private Progress progress(String tenant) {
    return tenants.computeIfAbsent(tenant, t -> new Progress());
  }

  @Override
  public boolean awaitApplied(String tenant, String inStream, long offset, Duration timeout)
      throws InterruptedException {
    return inStream.equals(stream) && loaded(tenant).await(TenantMark::offset, offset, timeout);
  }

  @Override
  public boolean awaitSeq(String tenant, long seq, Duration timeout) throws InterruptedException {
    return loaded(tenant).await(TenantMark::seq, seq, timeout);
  }

  /// What was applied before this process began is in the database.
  private Progress loaded(String tenant) throws InterruptedException {
    Progress progress = progress(tenant);
    if (progress.get() == null && databases.exists(tenant)) {
      try {
        progress.setIfUnset(TenantMark.of(databases.read(tenant, reader -> reader.state())));
      } catch (ViewException unusable) {
        // The apply loop parks the tenant; whoever waits here waits until it is back.
        return progress;
      }
    }
    return progress;
  }
}
