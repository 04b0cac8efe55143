package com.datanadhi.hub.snapshot;

import com.datanadhi.hub.apply.LoopSignal;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.TenantReader;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Takes a snapshot of each tenant that has changed, an interval after its newest one, and deletes
/// those that are too many. A new tenant gets its first one at once. Tenants come one after
/// another, each at the time of day of its first snapshot. A tenant for which it fails is tried
/// again after 5 s, then twice as long each time up to 5 min; the others go on.
///
/// A database that has never applied a log record gets none.
///
/// One thread calls [#run] or [#turn]; everything else is thread-safe.
public final class SnapshotLoop {
  static final Duration FIRST_RETRY = Duration.ofSeconds(5);
  static final Duration LAST_RETRY = Duration.ofMinutes(5);

  private static final Duration PAUSE = Duration.ofSeconds(1);

  /// After which a tenant without anything is looked at again.
  private static final Duration EMPTY = Duration.ofSeconds(10);

  private final SnapshotTenants tenants;
  private final TenantDatabases databases;
  private final SnapshotStore store;
  private final Snapshotter snapshotter;
  private final SnapshotRetention retention;
  private final Duration interval;
  private final Pauses pauses;
  private final Clock clock;
  private final Map<String, TenantSnapshots> known = new ConcurrentHashMap<>();
  private final Set<String> told = new HashSet<>();
  private final AtomicLong taken = new AtomicLong();
  private final AtomicLong failures = new AtomicLong();
  private final LoopSignal signal = new LoopSignal();
  private final ReentrantLock running = new ReentrantLock();
  private boolean isStoreDown;
  private volatile @Nullable String lastError;
  private @Nullable Thread runner;

  /// What must not be done now.
  ///
  /// @param ofDeleting nothing is deleted, such as after a step of the clock
  /// @param ofCopying no copies are made, since the disk is nearly full
  public record Pauses(BooleanSupplier ofDeleting, BooleanSupplier ofCopying) {}

  /// @param interval between two snapshots of a tenant that changes
  /// @param keep how many snapshots of a tenant stay, at least 1
  public SnapshotLoop(
      SnapshotTenants tenants,
      TenantDatabases databases,
      SnapshotStore store,
      Snapshotter snapshotter,
      Duration interval,
      int keep,
      Pauses pauses,
      Clock clock) {
    this.tenants = tenants;
    this.databases = databases;
    this.store = store;
    this.snapshotter = snapshotter;
    this.retention = new SnapshotRetention(store, keep, clock);
    this.interval = interval;
    this.pauses = pauses;
    this.clock = clock;
  }

  /// Works until [#stop] or an interrupt.
  public void run() throws InterruptedException {
    setRunner(Thread.currentThread());
    try {
      while (!signal.isStopped()) {
        turn();
        signal.pause(PAUSE);
      }
    } catch (InterruptedException interrupted) {
      if (!signal.isStopped()) {
        throw interrupted;
      }
    } finally {
      setRunner(null);
    }
  }

  /// Also forgets an interrupt that [#stop] sent to a thread that had ended its work by itself.
  private void setRunner(@Nullable Thread thread) {
    running.lock();
    try {
      runner = thread;
      if (thread == null && signal.isStopped()) {
        boolean _ = Thread.interrupted();
      }
    } finally {
      running.unlock();
    }
  }

  /// Ends [#run], also in the middle of a snapshot.
  public void stop() {
    signal.stop();
    running.lock();
    try {
      if (runner != null) {
        runner.interrupt();
      }
    } finally {
      running.unlock();
    }
  }

  /// Works on all tenants whose time has come.
  public void turn() throws InterruptedException {
    for (String tenant : tenants.names()) {
      if (signal.isStopped()) {
        return;
      }
      TenantSnapshots now =
          known.computeIfAbsent(
              tenant, _ -> TenantSnapshots.unknown(clock.wallMillis(), clock.nanoTime()));
      if (clock.nanoTime() - now.dueAt() >= 0) {
        turn(tenant, now);
      }
    }
  }

  private void turn(String tenant, TenantSnapshots before) throws InterruptedException {
    try {
      TenantSnapshots now = before.isKnown() ? before : look(tenant, before);
      if (clock.nanoTime() - now.dueAt() >= 0) {
        now = takeIfChanged(tenant, now);
      }
      put(tenant, now);
      if (before.error() != null) {
        recovered(tenant);
      }
    } catch (IOException | ViewException | InvalidSnapshotException | RuntimeException failed) {
      if (!signal.isStopped()) {
        failed(tenant, failed);
      }
    }
  }

  private void put(String tenant, TenantSnapshots now) {
    TenantSnapshots _ = known.put(tenant, now);
  }

  /// Finds the tenant's newest snapshot in the store.
  private TenantSnapshots look(String tenant, TenantSnapshots before)
      throws ObjectStoreException, InterruptedException {
    SnapshotList list = store.list(tenant);
    tellFaults(list);
    if (list.finished().isEmpty()) {
      return before.complete(null, before.completeAt(), before.dueAt());
    }
    Snapshot newest = list.finished().getLast();
    long time = newest.manifest().timestamp().toEpochMilli();
    // A clock that was wrong then, or is now, does not put it off for longer than the interval.
    long wait = Math.clamp(time + interval.toMillis() - clock.wallMillis(), 0, interval.toMillis());
    return before.complete(newest, time, clock.nanoTime() + Duration.ofMillis(wait).toNanos());
  }

  private TenantSnapshots takeIfChanged(String tenant, TenantSnapshots now)
      throws IOException, ViewException, InvalidSnapshotException, InterruptedException {
    if (pauses.ofCopying().getAsBoolean()) {
      return now;
    }
    Snapshot newest = now.newest();
    long at = clock.wallMillis();
    @Nullable ViewState state =
        databases.exists(tenant) ? databases.read(tenant, TenantReader::state) : null;
    boolean isEmpty = state == null || (state.appliedOffset() < 0 && state.seq() == 0);
    if (state == null || (newest == null && isEmpty)) {
      return now.complete(newest, Long.MAX_VALUE, clock.nanoTime() + EMPTY.toNanos());
    }
    if (newest != null && newest.manifest().hasAllOf(state)) {
      clean(tenant, newest);
      return now.complete(newest, at, nextTime());
    }
    if (now.completeAt() == Long.MAX_VALUE) {
      put(tenant, now.complete(newest, at, now.dueAt()));
    }
    Snapshot proven = snapshotter.takeOrContinue(tenant);
    TenantSnapshots taken = noted(tenant, proven);
    clean(tenant, proven);
    return taken;
  }

  /// Takes a snapshot now, also if nothing has changed; throws as [Snapshotter#take] does.
  ///
  /// @throws IOException also while copying is paused
  public Snapshot take(String tenant)
      throws ViewException, IOException, InvalidSnapshotException, InterruptedException {
    if (pauses.ofCopying().getAsBoolean()) {
      throw new IOException(
          "the disk of the data directory is nearly full, and a snapshot begins with a copy on it:"
              + " free some room first");
    }
    Snapshot snapshot = snapshotter.take(tenant);
    TenantSnapshots _ = noted(tenant, snapshot);
    try {
      clean(tenant, snapshot);
    } catch (ObjectStoreException failed) {
      Events.warning("snapshot_cleaning_failed", "tenant", tenant, "reason", failed.getMessage());
    }
    return snapshot;
  }

  /// Notes a snapshot before anything is deleted.
  private TenantSnapshots noted(String tenant, Snapshot snapshot) {
    long _ = taken.incrementAndGet();
    long time = snapshot.manifest().timestamp().toEpochMilli();
    TenantSnapshots now = new TenantSnapshots(true, snapshot, time, nextTime(), 0, null);
    put(tenant, now);
    return now;
  }

  private long nextTime() {
    return clock.nanoTime() + interval.toNanos();
  }

  private void clean(String tenant, Snapshot newest)
      throws ObjectStoreException, InterruptedException {
    if (!pauses.ofDeleting().getAsBoolean()) {
      SnapshotList list = store.list(tenant);
      tellFaults(list);
      retention.prune(list, newest);
      retention.removeUnfinished(list);
    }
  }

  private void tellFaults(SnapshotList list) {
    for (String fault : list.faults()) {
      tellOnce("snapshot_damaged", fault, "fault", fault);
    }
  }

  private void tellOnce(String event, String what, @Nullable Object... fields) {
    boolean isNew;
    synchronized (told) {
      isNew = told.add(what);
    }
    if (isNew) {
      Events.warning(event, fields);
    }
  }

  private void failed(String tenant, Exception failed) {
    long _ = failures.incrementAndGet();
    String reason = failed.getMessage() == null ? failed.toString() : failed.getMessage();
    lastError = tenant + ": " + reason;
    TenantSnapshots before = known.get(tenant);
    if (before == null) {
      before = TenantSnapshots.unknown(clock.wallMillis(), clock.nanoTime());
    }
    if (failed instanceof ObjectStoreException store && store.kind() == Kind.UNAVAILABLE) {
      // All tenants then fail, each with a key of its own in the reason: told once.
      if (!isStoreDown) {
        Events.warning("snapshot_store_unavailable", "tenant", tenant, "reason", reason);
      }
      isStoreDown = true;
    } else if (!reason.equals(before.error())) {
      Events.warning("snapshot_failed", "tenant", tenant, "reason", reason);
    }
    put(tenant, before.failed(reason, clock.nanoTime() + retryNanos(before.failedTries())));
  }

  private static long retryNanos(int failedTries) {
    long nanos = FIRST_RETRY.toNanos() << Math.min(failedTries, 10);
    return Math.min(nanos, LAST_RETRY.toNanos());
  }

  private void recovered(String tenant) {
    isStoreDown = false;
    Events.info("snapshot_failure_ended", "tenant", tenant);
  }

  /// What the snapshots are like now. Thread-safe.
  public SnapshotStats stats() {
    long now = clock.wallMillis();
    Instant lastSuccess = null;
    long oldest = 0;
    int failing = 0;
    Map<String, SnapshotStats.Newest> newest = new HashMap<>();
    for (String tenant : tenants.names()) {
      TenantSnapshots of = known.get(tenant);
      if (of == null) {
        continue;
      }
      if (of.error() != null) {
        failing++;
      }
      if (of.completeAt() != Long.MAX_VALUE) {
        oldest = Math.max(oldest, now - of.completeAt());
      }
      Snapshot snapshot = of.newest();
      if (snapshot != null) {
        Instant time = snapshot.manifest().timestamp();
        SnapshotStats.Newest _ =
            newest.put(
                tenant, new SnapshotStats.Newest(snapshot.id(), snapshot.manifest().seq(), time));
        if (lastSuccess == null || time.isAfter(lastSuccess)) {
          lastSuccess = time;
        }
      }
    }
    return new SnapshotStats(
        taken.get(),
        failures.get(),
        lastSuccess,
        oldest / 3_600_000.0,
        failing,
        failing == 0 ? null : lastError,
        newest);
  }
}
