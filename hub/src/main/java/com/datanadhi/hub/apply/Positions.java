package com.datanadhi.hub.apply;

import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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
    private TenantMark mark = TenantMark.NONE;
    private boolean isSet;

    synchronized void set(TenantMark newMark) {
      mark = newMark;
      isSet = true;
      notifyAll();
    }

    synchronized void setIfUnset(TenantMark newMark) {
      if (!isSet) {
        set(newMark);
      }
    }

    synchronized TenantMark get() {
      return mark;
    }

    synchronized boolean isSet() {
      return isSet;
    }

    synchronized boolean await(ToLongFunction<TenantMark> value, long wanted, Duration timeout)
        throws InterruptedException {
      long end = System.nanoTime() + timeout.toNanos();
      while (value.applyAsLong(mark) < wanted) {
        long left = end - System.nanoTime();
        if (left <= 0) {
          return false;
        }
        wait(left / 1_000_000, (int) (left % 1_000_000));
      }
      return true;
    }
  }

  void set(String tenant, TenantMark mark) {
    progress(tenant).set(mark);
  }

  /// How far the tenant is, or null if nothing was seen of it.
  @Nullable TenantMark get(String tenant) {
    Progress progress = tenants.get(tenant);
    return progress == null || !progress.isSet() ? null : progress.get();
  }

  Map<String, TenantMark> all() {
    Map<String, TenantMark> marks = new HashMap<>();
    tenants.forEach((tenant, progress) -> {
      if (progress.isSet()) {
        marks.put(tenant, progress.get());
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
    if (!progress.isSet() && databases.exists(tenant)) {
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
