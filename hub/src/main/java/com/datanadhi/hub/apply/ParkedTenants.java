package com.datanadhi.hub.apply;

import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.ViewException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/// The tenants whose log records are held back, because their database cannot be used or a record
/// cannot be applied. Each comes back by itself when it can: at once, then after a time that
/// doubles. Thread-safe.
public final class ParkedTenants {
  private static final long FIRST_BACKOFF_MILLIS = 1_000;
  private static final long LONGEST_REBUILD_BACKOFF_MILLIS = TimeUnit.HOURS.toMillis(1);
  private static final long LONGEST_RETRY_BACKOFF_MILLIS = TimeUnit.SECONDS.toMillis(30);

  private final Clock clock;
  private final Map<String, Entry> parked = new HashMap<>();
  private final Map<String, Past> past = new HashMap<>();

  public ParkedTenants(Clock clock) {
    this.clock = clock;
  }

  /// Why a tenant is parked.
  public enum Cause {
    /// Its database is damaged or missing: it is set aside and rebuilt from the log.
    DAMAGED,
    /// Its database was ahead of the log: it is set aside and rebuilt from the log.
    AHEAD,
    /// Its database is behind what was known to be durable: it catches up from the log.
    BEHIND,
    /// Its database cannot be used now: it is tried again.
    UNAVAILABLE,
    /// A newer version of the hub has written its database.
    NEWER,
    /// Its database continues the history of another log.
    FOREIGN,
    /// Its archive has records that this log never had: an old copy of the directory was put back.
    /// It is rebuilt from the archive.
    OLD_COPY,
    /// Its archive has other records under the same seqs: it waits for an operator.
    FORKED,
    /// A log record cannot be applied: it waits until an operator skips it.
    POISON
  }

  /// A parked tenant.
  ///
  /// @param reason a sentence for the operator
  /// @param since milliseconds since 1970
  /// @param neededFrom the first offset of the log that bringing it back needs
  /// @param heldBackRecords log records that were passed over
  /// @param heldBackBytes of their payloads
  /// @param attempts to bring it back so far
  /// @param poisonOffset of the log record that cannot be applied, or -1
  public record Parked(
      String tenant,
      Cause cause,
      String reason,
      long since,
      long neededFrom,
      long heldBackRecords,
      long heldBackBytes,
      int attempts,
      long poisonOffset) {}

  private static final class Entry {
    private Parked parked;
    private long dueNanos;
    private boolean busy;

    /// The first offset that was passed over.
    private long heldBackFrom = Long.MAX_VALUE;

    private Entry(Parked parked) {
      this.parked = parked;
    }
  }

  /// How often a tenant was brought back, so that one that fails at once again waits longer.
  private record Past(int attempts, long nanos) {}

  public synchronized boolean isParked(String tenant) {
    return parked.containsKey(tenant);
  }

  /// The tenant's state, or null if it is not parked.
  public synchronized @Nullable Parked get(String tenant) {
    Entry entry = parked.get(tenant);
    return entry == null ? null : entry.parked;
  }

  /// All of them, the longest parked first.
  public synchronized List<Parked> list() {
    return parked.values().stream()
        .map(e -> e.parked)
        .sorted(Comparator.comparingLong(Parked::since).thenComparing(Parked::tenant))
        .toList();
  }

  /// Bytes of log records that are held back for the tenant, or 0.
  public synchronized long heldBackBytes(String tenant) {
    Entry entry = parked.get(tenant);
    return entry == null ? 0 : entry.parked.heldBackBytes();
  }

  static Cause causeOf(ViewException failed) {
    return switch (failed.kind()) {
      case DAMAGED -> Cause.DAMAGED;
      case UNAVAILABLE -> Cause.UNAVAILABLE;
      case NEWER -> Cause.NEWER;
    };
  }

  /// Parks a tenant, or gives a parked one another cause; it is then tried again later.
  synchronized void park(
      String tenant, Cause cause, String reason, long neededFrom, long poisonOffset) {
    Entry entry = parked.get(tenant);
    Parked old = entry == null ? null : entry.parked;
    int attempts = old == null ? 0 : old.attempts() + 1;
    Past before = past.get(tenant);
    if (old == null
        && before != null
        && clock.nanoTime() - before.nanos()
            < TimeUnit.MILLISECONDS.toNanos(LONGEST_REBUILD_BACKOFF_MILLIS)) {
      attempts = before.attempts() + 1;
    }
    Parked now =
        new Parked(
            tenant,
            cause,
            reason,
            old == null ? clock.wallMillis() : old.since(),
            needsRebuild(cause) ? 0 : neededFrom,
            old == null ? 0 : old.heldBackRecords(),
            old == null ? 0 : old.heldBackBytes(),
            attempts,
            poisonOffset);
    if (entry == null) {
      entry = new Entry(now);
      parked.put(tenant, entry);
    }
    entry.parked = now;
    entry.busy = false;
    entry.dueNanos =
        clock.nanoTime() + TimeUnit.MILLISECONDS.toNanos(backoffMillis(cause, attempts));
    if (old == null || old.cause() != cause || !old.reason().equals(reason)) {
      Events.severe(
          "tenant_parked",
          null,
          "tenant",
          tenant,
          "cause",
          cause,
          "reason",
          reason,
          "poison_offset",
          poisonOffset < 0 ? null : (Object) poisonOffset);
    }
  }

  /// Takes over a tenant that the hub has named as parked before it ended.
  synchronized void restore(Parked before) {
    // What kept it parked may have changed since: only a set-aside has to be done for certain.
    Entry entry =
        new Entry(
            needsRebuild(before.cause())
                ? before
                : new Parked(
                    before.tenant(),
                    Cause.BEHIND,
                    before.reason(),
                    before.since(),
                    before.neededFrom(),
                    before.heldBackRecords(),
                    before.heldBackBytes(),
                    0,
                    -1));
    entry.dueNanos = clock.nanoTime();
    entry.heldBackFrom = before.heldBackRecords() > 0 ? before.neededFrom() : Long.MAX_VALUE;
    parked.put(before.tenant(), entry);
  }

  private static long backoffMillis(Cause cause, int attempts) {
    if (attempts == 0) {
      return 0;
    }
    long longest =
        cause == Cause.UNAVAILABLE ? LONGEST_RETRY_BACKOFF_MILLIS : LONGEST_REBUILD_BACKOFF_MILLIS;
    return Math.min(longest, FIRST_BACKOFF_MILLIS << Math.min(attempts - 1, 20));
  }

  /// Whether the tenant's database is replaced before it goes on.
  public static boolean needsRebuild(Cause cause) {
    return cause == Cause.DAMAGED || cause == Cause.AHEAD || cause == Cause.OLD_COPY;
  }

  /// The first offset of the log records that were passed over for the tenant, or a lower bound; a
  /// large number if there are none.
  synchronized long heldBackFrom(String tenant) {
    Entry entry = parked.get(tenant);
    return entry == null ? Long.MAX_VALUE : entry.heldBackFrom;
  }

  /// Counts log records that were passed over.
  ///
  /// @param first the offset of the first
  synchronized void heldBack(String tenant, long first, long records, long bytes) {
    Entry entry = parked.get(tenant);
    if (entry != null) {
      entry.heldBackFrom = Math.min(entry.heldBackFrom, first);
      Parked p = entry.parked;
      entry.parked =
          new Parked(
              tenant,
              p.cause(),
              p.reason(),
              p.since(),
              p.neededFrom(),
              p.heldBackRecords() + records,
              p.heldBackBytes() + bytes,
              p.attempts(),
              p.poisonOffset());
    }
  }

  /// The tenants to bring back now; they are busy until they are parked again or come back.
  ///
  /// @param skipped whether an operator has skipped the record at an offset
  synchronized List<Parked> takeDue(LongPredicate skipped) {
    List<Parked> due = new ArrayList<>();
    for (Entry entry : parked.values()) {
      if (entry.busy) {
        continue;
      }
      boolean isDue =
          switch (entry.parked.cause()) {
            case NEWER, FOREIGN, FORKED -> false;
            case POISON -> skipped.test(entry.parked.poisonOffset());
            case DAMAGED, AHEAD, OLD_COPY, BEHIND, UNAVAILABLE ->
                clock.nanoTime() - entry.dueNanos >= 0;
          };
      if (isDue) {
        entry.busy = true;
        due.add(entry.parked);
      }
    }
    return due;
  }

  synchronized void unpark(String tenant) {
    Entry entry = parked.remove(tenant);
    if (entry != null) {
      past.put(tenant, new Past(entry.parked.attempts(), clock.nanoTime()));
      Events.info(
          "tenant_unparked",
          "tenant",
          tenant,
          "cause",
          entry.parked.cause(),
          "attempts",
          entry.parked.attempts() + 1,
          "held_back_records",
          entry.parked.heldBackRecords());
    }
  }
}
