package com.datanadhi.hub.apply;

import com.datanadhi.hub.apply.ParkedTenants.Parked;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// How far the loop is, what it has changed since the last checkpoint, and what is durable in each
/// database. Thread-safe.
final class ApplyProgress {
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by lock.
  private long next;
  private long lost;
  private long events;
  private long bytesSinceCheckpoint;
  private boolean hasCameBack;
  private List<Parked> parkedAtNext;
  private Set<String> touched = new HashSet<>();
  private final Map<String, TenantMark> durable;

  /// @param next the offset to begin with
  /// @param lost offsets before it that are lost
  /// @param durable what is durable in each tenant's database
  /// @param parked the tenants that are parked
  ApplyProgress(long next, long lost, Map<String, TenantMark> durable, List<Parked> parked) {
    this.next = next;
    this.lost = lost;
    this.durable = new HashMap<>(durable);
    this.parkedAtNext = parked;
  }

  /// @param next the offset that the next turn begins with
  /// @param lost offsets before it that are recorded as lost
  /// @param events rows of `events` that were added
  record Counts(long next, long lost, long events) {}

  Counts counts() {
    lock.lock();
    try {
      return new Counts(next, lost, events);
    } finally {
      lock.unlock();
    }
  }

  long next() {
    lock.lock();
    try {
      return next;
    } finally {
      lock.unlock();
    }
  }

  /// Everything before `newNext` is applied, held back for one of the parked tenants, or lost.
  void advance(long newNext, long newlyLost, List<Parked> parked) {
    lock.lock();
    try {
      next = newNext;
      lost += newlyLost;
      parkedAtNext = parked;
    } finally {
      lock.unlock();
    }
  }

  void committed(String tenant, long bytes, long newEvents) {
    lock.lock();
    try {
      touched.add(tenant);
      bytesSinceCheckpoint += bytes;
      events += newEvents;
    } finally {
      lock.unlock();
    }
  }

  /// The tenants' databases have changes that are to be made durable.
  void touch(Set<String> tenants) {
    lock.lock();
    try {
      touched.addAll(tenants);
    } finally {
      lock.unlock();
    }
  }

  /// No log record is held back for the tenant any more, and its database is to be made durable.
  /// The next run would build it again if it read that the tenant is parked.
  ///
  /// @param newlyLost log records that it had and has not now
  void cameBack(String tenant, long newlyLost) {
    lock.lock();
    try {
      lost += newlyLost;
      touched.add(tenant);
      parkedAtNext = parkedAtNext.stream().filter(p -> !p.tenant().equals(tenant)).toList();
      hasCameBack = true;
    } finally {
      lock.unlock();
    }
  }

  boolean isCheckpointDue() {
    lock.lock();
    try {
      return hasCameBack || bytesSinceCheckpoint >= Checkpointer.INTERVAL_BYTES;
    } finally {
      lock.unlock();
    }
  }

  /// What a checkpoint is to make durable.
  ///
  /// @param through everything before it is applied, held back or lost
  /// @param parked the tenants for which log records before it are held back
  record Touched(long through, long lost, Set<String> tenants, List<Parked> parked) {}

  /// Takes what was touched since the last call.
  Touched takeTouched() {
    lock.lock();
    try {
      Touched taken = new Touched(next, lost, touched, parkedAtNext);
      touched = new HashSet<>();
      bytesSinceCheckpoint = 0;
      hasCameBack = false;
      return taken;
    } finally {
      lock.unlock();
    }
  }

  /// Notes what is durable, and returns all of it.
  Map<String, TenantMark> durable(Map<String, TenantMark> marks) {
    lock.lock();
    try {
      durable.putAll(marks);
      return new TreeMap<>(durable);
    } finally {
      lock.unlock();
    }
  }

  /// What is known to be durable in the tenant's database, or null if nothing is.
  @Nullable TenantMark durable(String tenant) {
    lock.lock();
    try {
      return durable.get(tenant);
    } finally {
      lock.unlock();
    }
  }

  /// The last offset that is known to be durable in the tenant's database, or -1.
  long durableOffset(String tenant) {
    TenantMark mark = durable(tenant);
    return mark == null ? -1 : mark.offset();
  }
}
