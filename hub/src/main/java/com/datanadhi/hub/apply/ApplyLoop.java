package com.datanadhi.hub.apply;

import com.datanadhi.hub.apply.ApplyFunction.Applied;
import com.datanadhi.hub.apply.ParkedTenants.Cause;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.TenantWriter;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/// Reads a stream of the log in order and applies it to the tenants' databases: one transaction a
/// tenant and turn. A tenant that fails is parked, and its log records are passed over until
/// [Recovery] has brought it back; the others go on. Damage in the log stops it for all, until a
/// loss is recorded.
///
/// One thread calls [#run] or [#turn]; everything else is thread-safe.
public final class ApplyLoop implements AppliedPositions {
  /// The most log records in one transaction, when applying lags.
  private static final int MAX_RECORDS = 2_000;

  private static final long MAX_BYTES = 2L * 1024 * 1024;

  /// The time between two turns while records keep coming and nobody waits for them: a commit for
  /// each few records would cost several times as much as applying them.
  private static final Duration PACE = Duration.ofMillis(50);

  private static final Duration IDLE = Duration.ofMillis(200);
  private static final Duration RETRY = Duration.ofMillis(500);

  private final StreamReader reader;
  private final Log log;
  private final String stream;
  private final TenantDatabases databases;
  private final ApplyDecisions decisions;
  private final ApplyListener listener;
  private final Clock clock;
  private final Applier applier;
  private final Positions positions;
  private final ParkedTenants parked;
  private final MailboxFollower mailboxes;
  private final Unreadable unreadable;
  private final long start;
  private final SortedMap<Long, Long> provenBefore;

  private final ApplyProgress progress;
  private final DatabaseChecks checks;
  private final LogDamage damage;
  private final HeldBack heldBack = new HeldBack();
  private final StatsReader stats;
  private final Queue<Recovered> recovered = new ConcurrentLinkedQueue<>();
  private final LoopSignal signal = new LoopSignal();

  /// Begins where `applied-through` says that it can.
  ///
  /// @param quarantine directory for log records that tell no tenant and were skipped
  public ApplyLoop(
      Log log,
      String stream,
      TenantDatabases databases,
      ApplyDecisions decisions,
      ApplyListener listener,
      MailboxFollower mailboxes,
      AppliedThroughFile file,
      Path quarantine,
      Clock clock) {
    this.log = log;
    this.stream = stream;
    this.databases = databases;
    this.decisions = decisions;
    this.listener = listener;
    this.mailboxes = mailboxes;
    this.clock = clock;
    reader = new StreamReader(log, stream, decisions);
    applier = new Applier(new ApplyFunction(stream, decisions), databases);
    positions = new Positions(stream, databases);
    parked = new ParkedTenants(clock);
    unreadable = new Unreadable(log, stream, decisions, quarantine);
    damage = new LogDamage(stream, decisions);
    AppliedThrough saved = file.read(stream);
    Map<String, TenantMark> before = saved == null ? Map.of() : saved.tenants();
    if (saved != null && !isOfThisLog(saved)) {
      Events.warning("applied_through_ignored", "reason", "the log does not have its position");
      saved = null;
    }
    if (saved == null) {
      start = log.start(stream);
      provenBefore = new TreeMap<>();
      progress = new ApplyProgress(start, 0, Map.of(), parked.list());
    } else {
      start = Math.max(saved.through(), log.start(stream));
      provenBefore = saved.proven();
      restore(saved);
      progress = new ApplyProgress(start, saved.lost(), saved.tenants(), parked.list());
    }
    checks = new DatabaseChecks(reader, databases, progress, parked, before);
    stats = new StatsReader(reader, progress, positions, parked, unreadable, damage, clock);
  }

  private void restore(AppliedThrough saved) {
    unreadable.restore(saved.unreadable(), saved.quarantined());
    saved.parked().forEach(parked::restore);
    saved.tenants().forEach(positions::set);
    for (String tenant : saved.tenants().keySet()) {
      if (!databases.exists(tenant) && !parked.isParked(tenant)) {
        parked.park(tenant, Cause.DAMAGED, "its database is missing", 0, -1);
      }
    }
  }

  private boolean isOfThisLog(AppliedThrough saved) {
    if (saved.through() > log.stableEnd(stream)) {
      return false;
    }
    String epoch = reader.epochAt(saved.through() - 1);
    return epoch == null || epoch.equals(saved.epoch());
  }

  /// What a turn did.
  public enum Turn {
    /// Something: the next one may have more to do.
    WORKED,
    /// There was nothing to do.
    IDLE,
    /// The log cannot be read on now.
    BLOCKED
  }

  /// Applies until [#stop] or an interrupt.
  public void run() throws InterruptedException {
    while (!signal.isStopped()) {
      long began = clock.nanoTime();
      long from = next();
      long head = log.stableEnd(stream);
      switch (turn()) {
        case WORKED -> {
          boolean hasCaughtUp = from < head && head <= next();
          if (hasCaughtUp) {
            signal.pause(PACE.minusNanos(clock.nanoTime() - began));
          }
        }
        case IDLE -> {
          if (!log.awaitStable(stream, next(), IDLE)
              && clock.nanoTime() - began < IDLE.toNanos() / 4) {
            // A log that is closed does not wait.
            signal.pause(RETRY);
          }
        }
        case BLOCKED -> signal.pause(RETRY);
      }
    }
  }

  /// Ends [#run] after its turn.
  public void stop() {
    signal.stop();
  }

  /// Applies the next part of the stream.
  public Turn turn() throws InterruptedException {
    return turn(MAX_RECORDS);
  }

  /// As above, with at most this many log records.
  public Turn turn(int maxRecords) throws InterruptedException {
    boolean worked = takeRecovered();
    worked |= unreadable.turn();
    worked |= checks.checkSuspect();
    long from = next();
    StreamReader.Chunk chunk;
    try {
      chunk = reader.read(from, Long.MAX_VALUE, maxRecords, MAX_BYTES);
    } catch (DamagedException damaged) {
      LogDamage.Replaced replaced = damage.replacementOf(damaged);
      if (replaced != null) {
        goBehind(damaged, replaced);
        return Turn.WORKED;
      }
      damage.block("log_damaged", damaged, damaged);
      return Turn.BLOCKED;
    } catch (IOException failed) {
      damage.block("log_unreadable", failed, null);
      return Turn.BLOCKED;
    }
    if (chunk.next() == from) {
      damage.unblock();
      return checks.checkNext() || worked ? Turn.WORKED : Turn.IDLE;
    }
    for (var group : byTenant(chunk.entries()).entrySet()) {
      applyGroup(group.getKey(), group.getValue());
    }
    progress.advance(chunk.next(), chunk.lost(), parked.list());
    damage.unblock();
    return Turn.WORKED;
  }

  /// Those whose databases lack some of the records take them from the archive.
  private void goBehind(DamagedException damaged, LogDamage.Replaced replaced) {
    for (String tenant : replaced.behind()) {
      if (!parked.isParked(tenant)) {
        parked.park(
            tenant,
            databases.exists(tenant) ? Cause.BEHIND : Cause.DAMAGED,
            message(damaged) + "; its archive has some of them",
            applied(tenant) + 1,
            -1);
      }
    }
    progress.advance(damaged.endOffset(), 0, parked.list());
    damage.unblock();
  }

  private Map<String, List<Incoming>> byTenant(List<Incoming> entries) {
    Map<String, List<Incoming>> groups = new LinkedHashMap<>();
    for (Incoming incoming : entries) {
      String tenant = incoming.tenant();
      if (tenant == null) {
        unreadable.add(incoming.entry().offset(), incoming.problem());
      } else {
        groups.computeIfAbsent(tenant, t -> new ArrayList<>()).add(incoming);
      }
    }
    return groups;
  }

  private void applyGroup(String tenant, List<Incoming> entries) throws InterruptedException {
    if (parked.isParked(tenant)) {
      passOver(tenant, entries, entries.getFirst().entry().offset());
      return;
    }
    long[] done = {-1};
    try {
      if (!checks.checkFirst(tenant)) {
        passOver(tenant, entries, entries.getFirst().entry().offset());
        return;
      }
      applier.apply(
          tenant,
          entries,
          applied(tenant),
          applied -> done[0] = committed(tenant, applied, entries.getLast().entry().offset()));
    } catch (ViewException failed) {
      parked.park(
          tenant,
          ParkedTenants.causeOf(failed),
          message(failed),
          progress.durableOffset(tenant) + 1,
          -1);
      passOver(tenant, entries, done[0] + 1);
    } catch (Applier.ReplacedException replaced) {
      parked.park(tenant, Cause.BEHIND, message(replaced), replaced.offset() + 1, -1);
      passOver(tenant, entries, done[0] + 1);
    } catch (PoisonException poison) {
      parked.park(tenant, Cause.POISON, message(poison), poison.offset(), poison.offset());
      passOver(tenant, entries, poison.offset());
    }
  }

  /// Whether the tenant's database must not be read: it is parked, or nobody has looked at it in
  /// this run and it does not have what was durable in it before. It will then be parked.
  public boolean isUnusable(String tenant) {
    return checks.isUnusable(tenant);
  }

  /// The offset that this loop knows to be applied, or -1.
  private long applied(String tenant) {
    TenantMark mark = positions.get(tenant);
    return mark == null ? -1 : mark.offset();
  }

  static String message(Exception failed) {
    String message = failed.getMessage();
    return message == null ? failed.toString() : message;
  }

  private void passOver(String tenant, List<Incoming> entries, long from) {
    // Reading can begin before what the database had: that is counted in its mark.
    long counted = applied(tenant);
    long records = 0;
    long bytes = 0;
    long first = -1;
    for (Incoming incoming : entries) {
      LogEntry entry = incoming.entry();
      if (entry.offset() >= from) {
        first = first < 0 ? entry.offset() : first;
        records += entry.offset() > counted ? 1 : 0;
        bytes += entry.payload().length;
      }
    }
    if (first < 0) {
      return;
    }
    parked.heldBack(tenant, first, records, bytes);
    heldBack.passedOver(tenant, first);
  }

  /// @return the offset that is applied
  private long committed(String tenant, Applied applied, long last) {
    ViewState state = applied.state();
    long offset = Math.min(last, state.appliedOffset());
    progress.committed(tenant, applied.bytes(), applied.events());
    positions.set(tenant, TenantMark.of(state));
    listener.applied(tenant, stream, offset, applied.keys(), applied.bytes());
    mailboxes.behind(tenant);
    for (ApplyFunction.Found found : applied.conflicts()) {
      Events.severe(
          "acknowledged_conflict",
          null,
          "tenant",
          tenant,
          "key",
          found.key(),
          "position",
          found.position());
    }
    return offset;
  }

  /// The damage of the log in front of which this loop or a rebuild waits, until it is recorded as
  /// lost or can be read again; null if there is none.
  public @Nullable DamagedException damage() {
    return damage.damage();
  }

  /// Says that nobody has to wait for damaged log records any more: each is in a database or in the
  /// archive, or is recorded as lost.
  public void replaced(DamagedException damaged, Set<String> behind) {
    damage.replaced(
        new LogDamage.Replaced(damaged.firstOffset(), damaged.endOffset(), Set.copyOf(behind)));
    signal.wake();
  }

  /// Whether a parked tenant's database has all log records before an offset that this loop knows
  /// to be the tenant's.
  boolean hasAllBefore(String tenant, long end, long seq) {
    TenantMark known = positions.get(tenant);
    return known != null
        && known.seq() <= seq
        && end <= next()
        && end <= parked.heldBackFrom(tenant);
  }

  LogDamage logDamage() {
    return damage;
  }

  /// A tenant that has caught up.
  ///
  /// @param through everything of it before this offset is applied
  /// @param applied the offset that its database has applied
  /// @param hasCounts whether its counts of log records are complete
  record Recovered(String tenant, long through, long applied, boolean hasCounts) {}

  void recovered(Recovered tenant) {
    recovered.add(tenant);
    signal.wake();
  }

  /// Tenants come back here, in the thread that applies, so that no log record is passed over
  /// between their last one and the first that this loop applies for them.
  private boolean takeRecovered() throws InterruptedException {
    boolean found = false;
    for (Recovered ready = recovered.poll(); ready != null; ready = recovered.poll()) {
      found = true;
      takeBack(ready);
    }
    return found;
  }

  private void takeBack(Recovered ready) throws InterruptedException {
    String tenant = ready.tenant();
    long position = ready.through();
    long applied = ready.applied();
    try {
      while (position < next()) {
        StreamReader.Chunk chunk = reader.read(position, next(), MAX_RECORDS, MAX_BYTES);
        List<Incoming> entries =
            chunk.entries().stream().filter(e -> tenant.equals(e.tenant())).toList();
        applied = applyHeldBack(tenant, entries, applied);
        position = chunk.next();
      }
      // Nothing of it can be in the log any more.
      ViewState state =
          applied < 0
              ? databases.write(tenant, writer -> writer.state())
              : databases.read(tenant, reader -> reader.state());
      if (state.appliedOffset() < applied) {
        throw new Applier.ReplacedException(state.appliedOffset(), applied);
      }
      TenantMark mark = TenantMark.of(state);
      long lost = lostInRebuild(tenant, mark);
      if (!ready.hasCounts() && lost > 0) {
        long decided = lost;
        mark = TenantMark.of(databases.write(tenant, writer -> countDecided(writer, decided)));
        lost = 0;
      }
      List<HeldBack.Notice> told = heldBack.take(tenant);
      checks.markSound(tenant);
      parked.unpark(tenant);
      positions.set(tenant, mark);
      progress.cameBack(tenant, lost);
      mailboxes.rebuilt(tenant);
      mailboxes.behind(tenant);
      for (HeldBack.Notice notice : told) {
        listener.applied(tenant, stream, notice.offset(), notice.keys(), notice.bytes());
      }
    } catch (ViewException failed) {
      parked.park(tenant, ParkedTenants.causeOf(failed), message(failed), position, -1);
    } catch (Applier.ReplacedException replaced) {
      parked.park(tenant, Cause.BEHIND, message(replaced), replaced.offset() + 1, -1);
    } catch (PoisonException poison) {
      parked.park(tenant, Cause.POISON, message(poison), poison.offset(), poison.offset());
    } catch (IOException | DamagedException failed) {
      parked.park(tenant, Cause.BEHIND, message(failed), position, -1);
    }
  }

  /// Log records of which the archive has nothing were decided and stored nothing.
  private static ViewState countDecided(TenantWriter writer, long number) {
    ViewState state = writer.state().withDuplicates(number);
    writer.saveState(state);
    return state;
  }

  /// Log records that the tenant's database had or that were held back for it, and that it does not
  /// have now: a rebuild passed over damage that came after they were applied.
  private long lostInRebuild(String tenant, TenantMark now) {
    ParkedTenants.Parked entry = parked.get(tenant);
    TenantMark before = positions.get(tenant);
    long known =
        (before == null ? 0 : before.records()) + (entry == null ? 0 : entry.heldBackRecords());
    // After a crash, a database can have more than was known of it.
    return Math.max(0, known - now.records());
  }

  /// Applies log records of a parked tenant and notes those that were passed over.
  ///
  /// @param before the offset that its database has applied
  /// @return the offset that it has applied now
  /// @throws Applier.ReplacedException it has not: its files were replaced or deleted meanwhile
  long applyHeldBack(String tenant, List<Incoming> entries, long before)
      throws ViewException, InterruptedException {
    if (entries.isEmpty()) {
      return before;
    }
    long[] done = {-1};
    try {
      applier.apply(tenant, entries, before, applied -> done[0] = applied.state().appliedOffset());
    } finally {
      heldBack.applied(tenant, entries, done[0]);
    }
    return done[0];
  }

  /// The offset that the next turn begins with.
  public long next() {
    return progress.next();
  }

  /// The first offset that this process read: everything before it was durable when it began, or
  /// belongs to a parked tenant.
  public long start() {
    return start;
  }

  public ParkedTenants parked() {
    return parked;
  }

  @Override
  public boolean awaitApplied(String tenant, String inStream, long offset, Duration timeout)
      throws InterruptedException {
    signal.wake();
    return positions.awaitApplied(tenant, inStream, offset, timeout);
  }

  @Override
  public boolean awaitSeq(String tenant, long seq, Duration timeout) throws InterruptedException {
    return positions.awaitSeq(tenant, seq, timeout);
  }

  @Override
  public void followMailbox(String tenant) {
    mailboxes.behind(tenant);
  }

  @Override
  public ItemWatchers.Watch watchItems(String tenant, String pipeline) {
    return mailboxes.watchers().watch(tenant, pipeline);
  }

  /// Parks the tenants whose database was deleted, to have it rebuilt. Without this it would be
  /// noticed only with the tenant's next record.
  public void parkMissing() {
    positions
        .all()
        .forEach((tenant, mark) -> {
          if (mark.offset() >= 0
              && !parked.isParked(tenant)
              && !databases.exists(tenant)
              // A rebuild may have begun meanwhile.
              && !parked.isParked(tenant)) {
            parked.park(tenant, Cause.DAMAGED, "its database is missing", 0, -1);
          }
        });
  }

  /// How far each tenant is that was looked at in this run.
  public Map<String, TenantMark> positions() {
    return positions.all();
  }

  /// Says who knows which tenants have records from before this log.
  ///
  /// @param isMissing whether a database that ends with a seq lacks some of the tenant's
  public void useEarlierHistory(BiPredicate<String, Long> isMissing) {
    checks.use(isMissing::test);
  }

  /// Parks a tenant for a reason that only its archive tells.
  public void park(String tenant, Cause cause, String reason) {
    parked.park(tenant, cause, reason, 0, -1);
  }

  /// Whether a tenant's record came from a log before this one.
  boolean isFromEarlierLog(String tenant, long seq) {
    return checks.isMissingFromEarlierLog(tenant, seq - 1);
  }

  StreamReader reader() {
    return reader;
  }

  ApplyDecisions decisions() {
    return decisions;
  }

  DatabaseChecks checks() {
    return checks;
  }

  ApplyProgress progress() {
    return progress;
  }

  /// Log records that tell no tenant and wait to be skipped: why, by their offsets.
  public SortedMap<Long, String> unreadableRecords() {
    return unreadable.waiting();
  }

  Unreadable unreadable() {
    return unreadable;
  }

  SortedMap<Long, Long> provenBefore() {
    return provenBefore;
  }

  /// How far the databases are that a checkpoint makes durable.
  Map<String, TenantMark> marks(Set<String> tenants) {
    Map<String, TenantMark> marks = new TreeMap<>();
    for (String tenant : tenants) {
      TenantMark mark = positions.get(tenant);
      if (mark != null) {
        marks.put(tenant, mark);
      }
    }
    return marks;
  }

  /// How applying stands. Computed by the caller's thread from the log and from what the loop has
  /// finished, so that it also tells of a loop that is stuck.
  public ApplyStats stats() {
    return stats.read();
  }
}
