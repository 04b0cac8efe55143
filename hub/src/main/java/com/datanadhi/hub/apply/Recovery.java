package com.datanadhi.hub.apply;

import com.datanadhi.hub.apply.ApplyLoop.Recovered;
import com.datanadhi.hub.apply.ParkedTenants.Cause;
import com.datanadhi.hub.apply.ParkedTenants.Parked;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Brings parked tenants back: sets a damaged database aside, reads the log from where the tenant's
/// database stands, and hands the tenant over to [ApplyLoop] when it has caught up. One pass over
/// the log serves all tenants that are due. The same apply function decides, so a rebuild has the
/// same seqs and the same chain.
///
/// One thread calls [#run] or [#turn].
public final class Recovery {
  private static final int MAX_RECORDS = 2_000;
  private static final long MAX_BYTES = 2L * 1024 * 1024;
  private static final Duration PAUSE = Duration.ofMillis(200);

  private final ApplyLoop loop;
  private final TenantDatabases databases;
  private final TenantBase base;
  private final LoopSignal signal = new LoopSignal();

  /// The tenants that wait until damaged log records are found or recorded as lost.
  private final Set<String> waiting = new HashSet<>();

  /// @param base for tenants whose history does not begin in the log, or no more
  public Recovery(ApplyLoop loop, TenantDatabases databases, TenantBase base) {
    this.loop = loop;
    this.databases = databases;
    this.base = base;
  }

  /// Works until [#stop] or an interrupt.
  public void run() throws InterruptedException {
    while (!signal.isStopped()) {
      if (!turn()) {
        signal.pause(PAUSE);
      }
    }
  }

  public void stop() {
    signal.stop();
  }

  /// Brings back the tenants that are due.
  ///
  /// @return whether there was one
  public boolean turn() throws InterruptedException {
    String stream = loop.reader().stream();
    List<Parked> due = loop.parked().takeDue(o -> loop.decisions().skipReason(stream, o) != null);
    Map<String, Work> works = new HashMap<>();
    long position = Long.MAX_VALUE;
    for (Parked parked : due) {
      waiting.remove(parked.tenant());
      Work work = prepare(parked);
      if (work != null) {
        works.put(parked.tenant(), work);
        position = Math.min(position, work.from);
      }
    }
    while (!works.isEmpty() && position < loop.next() && !signal.isStopped()) {
      StreamReader.Chunk chunk;
      try {
        chunk = loop.reader().read(position, loop.next(), MAX_RECORDS, MAX_BYTES);
      } catch (DamagedException damaged) {
        replace(damaged, works);
        position = damaged.endOffset();
        continue;
      } catch (IOException failed) {
        for (String tenant : works.keySet()) {
          park(tenant, Cause.BEHIND, ApplyLoop.message(failed), position, -1);
        }
        return true;
      }
      Map<String, List<Incoming>> groups = new HashMap<>();
      for (Incoming incoming : chunk.entries()) {
        String tenant = incoming.tenant();
        Work work = tenant == null ? null : works.get(tenant);
        if (tenant != null && work != null && incoming.entry().offset() >= work.from) {
          groups.computeIfAbsent(tenant, t -> new ArrayList<>()).add(incoming);
        }
      }
      for (var group : groups.entrySet()) {
        apply(group.getKey(), group.getValue(), works);
      }
      position = chunk.next();
    }
    if (!due.isEmpty() && waiting.isEmpty()) {
      loop.logDamage().inRebuild(null);
    }
    long through = position;
    works.forEach((tenant, work) ->
        loop.recovered(
            new Recovered(tenant, Math.max(work.from, through), work.applied, work.hasCounts)));
    return !due.isEmpty();
  }

  /// What is done for a tenant.
  private static final class Work {
    /// The offset to read on from.
    final long from;

    /// The offset that its database has applied.
    long applied;

    /// Whether the database's counts of log records are complete.
    boolean hasCounts;

    Work(long from, long applied, boolean hasCounts) {
      this.from = from;
      this.applied = applied;
      this.hasCounts = hasCounts;
    }
  }

  /// Takes from elsewhere what the log cannot give. A tenant of which something may be missing is
  /// parked again, until it is found or recorded as lost.
  private void replace(DamagedException damaged, Map<String, Work> works)
      throws InterruptedException {
    for (Map.Entry<String, Work> entry : List.copyOf(works.entrySet())) {
      if (entry.getValue().from < damaged.endOffset()
          && !replace(damaged, entry.getKey(), entry.getValue())) {
        works.remove(entry.getKey());
      }
    }
  }

  /// @return whether the tenant goes on
  private boolean replace(DamagedException damaged, String tenant, Work work)
      throws InterruptedException {
    long end = damaged.endOffset();
    try {
      boolean hasAll = base.takeBefore(tenant, end);
      long seq = 0;
      if (databases.exists(tenant)) {
        ViewState state = databases.read(tenant, reader -> reader.state());
        if (!loop.checks().check(tenant, state, false)) {
          return false;
        }
        seq = state.seq();
        work.applied = state.appliedOffset();
      }
      if (hasAll || loop.hasAllBefore(tenant, end, seq)) {
        // What it does not have of them was decided, and stored nothing.
        work.hasCounts = false;
        return true;
      }
      if (loop.logDamage().replacementOf(damaged) != null) {
        return true;
      }
      waiting.add(tenant);
      loop.logDamage().inRebuild(damaged);
      park(tenant, Cause.BEHIND, ApplyLoop.message(damaged), damaged.firstOffset(), -1);
    } catch (ViewException failed) {
      park(
          tenant,
          ParkedTenants.causeOf(failed),
          ApplyLoop.message(failed),
          damaged.firstOffset(),
          -1);
    } catch (IOException failed) {
      park(
          tenant,
          Cause.BEHIND,
          ApplyLoop.message(damaged)
              + ", and what is kept of the tenant cannot be used: "
              + ApplyLoop.message(failed),
          damaged.firstOffset(),
          -1);
    }
    return false;
  }

  private void apply(String tenant, List<Incoming> entries, Map<String, Work> works)
      throws InterruptedException {
    Work work = Objects.requireNonNull(works.get(tenant));
    try {
      work.applied = loop.applyHeldBack(tenant, entries, work.applied);
    } catch (Applier.ReplacedException replaced) {
      works.remove(tenant);
      park(tenant, Cause.BEHIND, ApplyLoop.message(replaced), replaced.offset() + 1, -1);
    } catch (ViewException failed) {
      works.remove(tenant);
      park(
          tenant,
          ParkedTenants.causeOf(failed),
          ApplyLoop.message(failed),
          entries.getFirst().entry().offset(),
          -1);
    } catch (PoisonException poison) {
      works.remove(tenant);
      park(tenant, Cause.POISON, ApplyLoop.message(poison), poison.offset(), poison.offset());
    }
  }

  /// Makes the tenant's database ready to go on.
  ///
  /// @return null if it stays parked
  private @Nullable Work prepare(Parked parked) throws InterruptedException {
    String tenant = parked.tenant();
    long start = loop.reader().log().start(loop.reader().stream());
    try {
      if (ParkedTenants.needsRebuild(parked.cause())) {
        loop.logDamage().forgetReplaced();
        if (start > 0 || parked.cause() == Cause.OLD_COPY || base.isNeeded(tenant)) {
          return goOnFromBase(parked, start);
        }
        if (databases.exists(tenant)) {
          Events.warning(
              "tenant_database_set_aside",
              "tenant",
              tenant,
              "reason",
              parked.reason(),
              "file",
              databases.setAside(tenant));
        }
        return new Work(0, -1, true);
      }
      return isLeftBehind(tenant, start) ? goOnFromBase(parked, start) : goOn(tenant, start, true);
    } catch (ViewException failed) {
      park(
          tenant,
          ParkedTenants.causeOf(failed),
          ApplyLoop.message(failed),
          parked.neededFrom(),
          -1);
      return null;
    }
  }

  /// The log does not have the tenant's first record, or no more: what is kept elsewhere has it.
  private @Nullable Work goOnFromBase(Parked parked, long start)
      throws ViewException, InterruptedException {
    String tenant = parked.tenant();
    String problem = "neither a snapshot nor an archive has it";
    try {
      TenantBase.Base put = base.putInPlace(tenant, start);
      if (put != null) {
        return goOn(tenant, start, put.hasCounts());
      }
    } catch (IOException failed) {
      problem = ApplyLoop.message(failed);
    }
    if (parked.cause() == Cause.OLD_COPY) {
      // Its database is sound, and must not go on: its next seqs are those of other records.
      park(tenant, Cause.OLD_COPY, "it cannot catch up from the archive now: " + problem, 0, -1);
      return null;
    }
    return goOnWithSound(parked, start, problem);
  }

  /// A database that an operator has put back can go on.
  private @Nullable Work goOnWithSound(Parked parked, long start, String whyNoBase)
      throws InterruptedException {
    String tenant = parked.tenant();
    String problem = "there is none";
    try {
      if (databases.exists(tenant)) {
        databases.check(tenant);
        return goOn(tenant, start, true);
      }
    } catch (ViewException unusable) {
      problem = ApplyLoop.message(unusable);
    }
    park(
        tenant,
        parked.cause(),
        "its database cannot be used ("
            + problem
            + ") nor rebuilt: the log, which begins with offset "
            + start
            + ", does not have its first records, and "
            + whyNoBase
            + ". Put back a copy of its directory, and it goes on",
        0,
        -1);
    return null;
  }

  private @Nullable Work goOn(String tenant, long start, boolean hasCounts)
      throws ViewException, InterruptedException {
    ViewState state = databases.read(tenant, r -> r.state());
    if (!loop.checks().check(tenant, state, false)) {
      return null;
    }
    long from = state.appliedOffset() + 1;
    // What archive and log do not have between them was decided, and deleted by proof.
    if (hasCounts && isLeftBehind(tenant, start)) {
      park(
          tenant,
          Cause.BEHIND,
          "it cannot catch up from offset " + from + ": the log begins with " + start + " now",
          from,
          -1);
      return null;
    }
    return new Work(Math.max(from, start), state.appliedOffset(), hasCounts);
  }

  /// Whether the log does not have any more what comes next in the tenant's database.
  private boolean isLeftBehind(String tenant, long start)
      throws ViewException, InterruptedException {
    long from = databases.<Long>read(tenant, reader -> reader.state().appliedOffset()) + 1;
    return from < start && loop.progress().durableOffset(tenant) >= from;
  }

  private void park(String tenant, Cause cause, String reason, long neededFrom, long poison) {
    loop.parked().park(tenant, cause, reason, neededFrom, poison);
  }
}
