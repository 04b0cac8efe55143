package com.datanadhi.hub.apply;

import com.datanadhi.hub.apply.ParkedTenants.Cause;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/// Finds databases that do not belong to the log, or are older than what was durable, and parks
/// their tenants.
///
/// [#check], [#isUnusable] and [#isComplete] are thread-safe, everything else is for the thread
/// that applies.
final class DatabaseChecks {
  private final StreamReader reader;
  private final Log log;
  private final String stream;
  private final TenantDatabases databases;
  private final ApplyProgress progress;
  private final ParkedTenants parked;

  private final Set<String> checked = new HashSet<>();

  /// Tenants of the last run whose database nobody has looked at in this one: somebody can have put
  /// an older copy in its place. With what was durable in it then.
  private final Map<String, TenantMark> unchecked;

  private final Queue<String> suspects = new ConcurrentLinkedQueue<>();
  private volatile boolean hasBegunEpoch;
  private volatile EarlierHistory earlier = (_, _) -> false;

  /// @param unchecked the tenants of the last run
  DatabaseChecks(
      StreamReader reader,
      TenantDatabases databases,
      ApplyProgress progress,
      ParkedTenants parked,
      Map<String, TenantMark> unchecked) {
    this.reader = reader;
    this.log = reader.log();
    this.stream = reader.stream();
    this.databases = databases;
    this.progress = progress;
    this.parked = parked;
    this.unchecked = new ConcurrentHashMap<>(unchecked);
  }

  /// Knows which tenants have records from before this log.
  @FunctionalInterface
  interface EarlierHistory {
    /// Whether a database that ends with `seq` lacks some of them.
    boolean isMissing(String tenant, long seq);
  }

  void use(EarlierHistory history) {
    earlier = history;
  }

  /// Whether a database that ends with `seq` lacks records from before this log.
  boolean isMissingFromEarlierLog(String tenant, long seq) {
    return earlier.isMissing(tenant, seq);
  }

  /// Checks the database when its tenant is applied for the first time.
  ///
  /// @return false if the tenant is parked now
  boolean checkFirst(String tenant) throws ViewException, InterruptedException {
    if (checked.contains(tenant)) {
      return true;
    }
    TenantMark durable = progress.durable(tenant);
    boolean isNew = durable == null || durable.offset() < 0;
    // That of a new tenant is made by its first record.
    ViewState state =
        isNew && !databases.exists(tenant)
            ? databases.write(tenant, writer -> writer.state())
            : databases.read(tenant, reader -> reader.state());
    if (!check(tenant, state, true)) {
      return false;
    }
    markSound(tenant);
    return true;
  }

  /// The database was looked at, and belongs to the log.
  void markSound(String tenant) {
    checked.add(tenant);
    unchecked.remove(tenant);
  }

  /// Checks a database that a reader suspects.
  ///
  /// @return whether there was one
  boolean checkSuspect() throws InterruptedException {
    String suspect = suspects.poll();
    if (suspect == null) {
      return false;
    }
    checkUntouched(suspect);
    return true;
  }

  /// Looks at one more database of the last run while there is nothing to apply: else it would be
  /// found to be an older copy only by its tenant's next record.
  boolean checkNext() throws InterruptedException {
    Iterator<String> tenants = unchecked.keySet().iterator();
    if (!tenants.hasNext()) {
      return false;
    }
    checkUntouched(tenants.next());
    return true;
  }

  /// Whether each database of the last run was looked at.
  boolean isComplete() {
    return unchecked.isEmpty();
  }

  private void checkUntouched(String tenant) throws InterruptedException {
    try {
      if (unchecked.containsKey(tenant)
          && !parked.isParked(tenant)
          && !checked.contains(tenant)
          && databases.exists(tenant)
          && check(tenant, databases.read(tenant, r -> r.state()), true)) {
        checked.add(tenant);
      }
    } catch (ViewException failed) {
      parked.park(
          tenant,
          ParkedTenants.causeOf(failed),
          ApplyLoop.message(failed),
          progress.durableOffset(tenant) + 1,
          -1);
    }
    // Not before: else readers could meet it neither unchecked nor parked.
    unchecked.remove(tenant);
  }

  /// Whether the tenant's database must not be read: it is parked, or nobody has looked at it in
  /// this run and it does not have what was durable in it before. It will then be parked.
  boolean isUnusable(String tenant) {
    if (parked.isParked(tenant)) {
      return true;
    }
    TenantMark before = unchecked.get(tenant);
    if (before == null) {
      return false;
    }
    try {
      long offset = databases.read(tenant, r -> r.state()).appliedOffset();
      if (before.offset() <= offset && offset < log.stableEnd(stream)) {
        return false;
      }
    } catch (ViewException failed) {
      // Applying finds out, and parks it.
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      return true;
    }
    suspects.add(tenant);
    return parked.isParked(tenant) || unchecked.containsKey(tenant);
  }

  /// Whether the database belongs to this log; it is parked if not.
  boolean check(String tenant, ViewState state, boolean againstDurable) {
    long offset = state.appliedOffset();
    if (earlier.isMissing(tenant, state.seq())) {
      parked.park(
          tenant,
          Cause.DAMAGED,
          "its database lacks records from before this log: it ends with seq " + state.seq(),
          0,
          -1);
      return false;
    }
    if (offset >= log.stableEnd(stream)) {
      ahead(
          tenant,
          "its database has applied offset "
              + offset
              + ", and the log ends before "
              + log.stableEnd(stream));
      return false;
    }
    String epoch = reader.epochAt(offset);
    if (offset >= 0 && epoch != null && !epoch.equals(state.epoch())) {
      boolean isKnown =
          log.segments(stream).stream().anyMatch(s -> s.epoch().toString().equals(state.epoch()));
      if (isKnown) {
        ahead(tenant, "its database has applied offset " + offset + " of a lost end of the log");
      } else {
        parked.park(
            tenant,
            Cause.FOREIGN,
            "its database continues the history of another log (epoch "
                + state.epoch()
                + "): remove it to have it rebuilt from this one",
            0,
            -1);
      }
      return false;
    }
    TenantMark mark = againstDurable ? progress.durable(tenant) : null;
    if (mark != null && offset < mark.offset()) {
      parked.park(
          tenant,
          Cause.BEHIND,
          "its database has applied offset "
              + offset
              + ", and "
              + mark.offset()
              + " was durable in it",
          offset + 1,
          -1);
      return false;
    }
    return true;
  }

  private void ahead(String tenant, String reason) {
    parked.park(tenant, Cause.AHEAD, reason, 0, -1);
    if (!hasBegunEpoch) {
      try {
        log.beginEpoch();
        hasBegunEpoch = true;
      } catch (IOException failed) {
        Events.severe("epoch_not_begun", failed, "stream", stream);
      }
    }
  }
}
