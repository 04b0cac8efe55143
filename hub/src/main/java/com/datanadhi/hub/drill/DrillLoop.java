package com.datanadhi.hub.drill;

import com.datanadhi.hub.apply.LoopSignal;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Drills by itself: each interval those tenants that were not drilled for the longest time.
///
/// One thread calls [#run] or [#turn]; all other methods are thread-safe.
public final class DrillLoop {
  private static final int TENANTS = 10;

  /// A hub that was just started has other things to do first.
  private static final Duration AFTER_START = Duration.ofMinutes(10);

  private static final Duration PAUSE = Duration.ofSeconds(1);
  private static final Duration RETRY = Duration.ofMinutes(5);

  private final Drill drill;
  private final Supplier<Collection<String>> tenants;
  private final Duration interval;
  private final LastDrill last;
  private final Clock clock;
  private final LoopSignal signal = new LoopSignal();
  private final Map<String, Long> drilledAt = new ConcurrentHashMap<>();
  private final Map<String, Long> proven = new ConcurrentHashMap<>();
  private final Map<String, String> faults = new ConcurrentHashMap<>();
  private long dueAt;
  private volatile @Nullable String problem;

  /// @param tenants with an archive or a snapshot
  /// @param interval between two turns
  /// @param last where the last success is kept
  public DrillLoop(
      Drill drill,
      Supplier<Collection<String>> tenants,
      Duration interval,
      LastDrill last,
      Clock clock) {
    this.drill = drill;
    this.tenants = tenants;
    this.interval = interval;
    this.last = last;
    this.clock = clock;
    long since = clock.wallMillis() - last.successMillis();
    long wait =
        Math.clamp(interval.toMillis() - since, AFTER_START.toMillis(), interval.toMillis());
    dueAt = clock.nanoTime() + Duration.ofMillis(wait).toNanos();
  }

  /// Works until [#stop] or an interrupt.
  public void run() throws InterruptedException {
    while (!signal.isStopped()) {
      if (clock.nanoTime() - dueAt >= 0) {
        Duration pause = turn() ? interval : RETRY;
        dueAt = clock.nanoTime() + (pause.compareTo(interval) < 0 ? pause : interval).toNanos();
      }
      signal.pause(PAUSE);
    }
  }

  public void stop() {
    signal.stop();
  }

  /// Drills the tenants whose turn it is.
  ///
  /// @return whether all of them were proven
  public boolean turn() throws InterruptedException {
    List<String> chosen =
        tenants.get().stream()
            .sorted(Comparator.comparingLong(t -> drilledAt.getOrDefault(t, Long.MIN_VALUE)))
            .limit(TENANTS)
            .toList();
    boolean areProven = true;
    for (String tenant : chosen) {
      if (signal.isStopped()) {
        return false;
      }
      areProven &= drill(tenant);
    }
    return areProven;
  }

  private boolean drill(String tenant) throws InterruptedException {
    // Also if it fails now: others have their turn first.
    drilledAt.put(tenant, clock.nanoTime());
    try {
      noted(drill.run(tenant));
      problem = null;
      return !faults.containsKey(tenant);
    } catch (ObjectStoreException | ViewException notNow) {
      tellOnce("drill_waits", tenant, notNow);
    } catch (IOException failed) {
      tellOnce("drill_failed", tenant, failed);
    }
    return false;
  }

  private void tellOnce(String event, String tenant, Exception failed) {
    String reason = String.valueOf(failed.getMessage());
    if (!reason.equals(problem)) {
      Events.warning(event, "tenant", tenant, "reason", reason);
    }
    problem = reason;
  }

  /// Takes the result of a drill that a person asked for, too.
  public void noted(DrillResult result) {
    String tenant = result.tenant();
    String fault = result.fault();
    if (fault != null) {
      faults.put(tenant, fault);
      Events.severe("drill_found_fault", null, "tenant", tenant, "reason", fault);
      return;
    }
    faults.remove(tenant);
    proven.put(tenant, result.seq());
    last.succeeded(clock.wallMillis());
    Events.info(
        "drill_succeeded",
        "tenant",
        tenant,
        "seq",
        result.seq(),
        "bytes",
        result.bytes(),
        "seconds",
        result.millis() / 1e3);
  }

  /// When a drill succeeded last, in milliseconds since 1970, also in an earlier run; or 0.
  public long lastSuccessMillis() {
    return last.successMillis();
  }

  /// The sum of the seqs up to which tenants were proven in this run.
  public long provenSeqs() {
    return proven.values().stream().mapToLong(Long::longValue).sum();
  }

  /// What the last drill of a tenant found wrong, by tenant.
  public Map<String, String> faults() {
    return Map.copyOf(faults);
  }

  /// Why drills do not work now, or null.
  public @Nullable String problem() {
    return problem;
  }
}
