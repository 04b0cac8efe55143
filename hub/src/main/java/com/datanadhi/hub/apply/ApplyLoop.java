package com.datanadhi.hub.apply;

import com.datanadhi.hub.apply.ApplyFunction.Applied;
import com.datanadhi.hub.apply.ParkedTenants.Cause;
import com.datanadhi.hub.apply.ParkedTenants.Parked;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.SegmentInfo;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Reads a stream of the log in order and applies it to the tenants' databases: one transaction a
/// tenant and turn. A tenant that fails is parked, and its log records are passed over until
/// [Recovery] has brought it back; the others go on. Damage in the log stops it for all, until a
/// loss is recorded.
///
/// One thread calls [#run] or [#turn]; everything else is thread-safe.
public final class ApplyLoop implements AppliedPositions {
  /// The most log records in one transaction, when applying lags.
  private static final int MAX_RECORDS = 8_000;

  private static final long MAX_BYTES = 16L * 1024 * 1024;
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

  private final Set<String> checked = new HashSet<>();

  /// Tenants of the last run whose database nobody has looked at in this one: somebody can have put
  /// an older copy in its place. With what was durable in it then.
  private final Map<String, TenantMark> unchecked = new ConcurrentHashMap<>();

  private final Queue<String> suspects = new ConcurrentLinkedQueue<>();
  private boolean hasBegunEpoch;

  private final LoopSignal signal = new LoopSignal();
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by lock.
  private long next;
  private long lost;
  private long bytesSinceCheckpoint;
  private long appliedEvents;
  private @Nullable String blocked;
  private @Nullable DamagedException damage;
  private @Nullable DamagedException rebuildDamage;
  private Set<String> touched = new HashSet<>();
  private final Map<String, TenantMark> durable = new HashMap<>();
  private final Map<String, Long> heldFrom = new HashMap<>();
  private final Map<String, List<Notice>> notices = new HashMap<>();
  private List<Parked> parkedAtNext = List.of();
  private List<Recovered> recovered = new ArrayList<>();

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
    AppliedThrough saved = file.read(stream);
    if (saved != null) {
      unchecked.putAll(saved.tenants());
    }
    if (saved != null && !isOfThisLog(saved)) {
      Events.warning("applied_through_ignored", "reason", "the log does not have its position");
      saved = null;
    }
    if (saved == null) {
      next = log.start(stream);
      provenBefore = new TreeMap<>();
    } else {
      next = Math.max(saved.through(), log.start(stream));
      lost = saved.lost();
      provenBefore = saved.proven();
      durable.putAll(saved.tenants());
      unreadable.restore(saved.unreadable(), saved.quarantined());
      saved.parked().forEach(parked::restore);
      saved.tenants().forEach(positions::set);
      for (String tenant : saved.tenants().keySet()) {
        if (!databases.exists(tenant) && !parked.isParked(tenant)) {
          parked.park(tenant, Cause.DAMAGED, "its database is missing", 0, -1);
        }
      }
    }
    start = next;
    parkedAtNext = parked.list();
  }

  private boolean isOfThisLog(AppliedThrough saved) {
    if (saved.through() > log.stableEnd(stream)) {
      return false;
    }
    String epoch = epochAt(saved.through() - 1);
    return epoch == null || epoch.equals(saved.epoch());
  }

  /// The epoch of a log record, or null if it is not there any more.
  private @Nullable String epochAt(long offset) {
    for (SegmentInfo segment : log.segments(stream)) {
      if (segment.firstOffset() <= offset && offset < segment.endOffset()) {
        return segment.epoch().toString();
      }
    }
    return null;
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
      switch (turn()) {
        case WORKED -> {}
        case IDLE -> {
          long began = clock.nanoTime();
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
    boolean worked = takeRecovered();
    worked |= unreadable.turn();
    String suspect = suspects.poll();
    if (suspect != null) {
      worked = true;
      checkUntouched(suspect);
    }
    long from = next();
    StreamReader.Chunk chunk;
    try {
      chunk = reader.read(from, Long.MAX_VALUE, MAX_RECORDS, MAX_BYTES);
    } catch (DamagedException damaged) {
      block("log_damaged", damaged, damaged);
      return Turn.BLOCKED;
    } catch (IOException failed) {
      block("log_unreadable", failed, null);
      return Turn.BLOCKED;
    }
    if (chunk.next() == from) {
      unblock();
      return checkNext() || worked ? Turn.WORKED : Turn.IDLE;
    }
    for (var group : byTenant(chunk.entries()).entrySet()) {
      applyGroup(group.getKey(), group.getValue());
    }
    List<Parked> held = parked.list();
    lock.lock();
    try {
      next = chunk.next();
      parkedAtNext = held;
      lost += chunk.lost();
    } finally {
      lock.unlock();
    }
    unblock();
    return Turn.WORKED;
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
      if (!checked.contains(tenant)) {
        ViewState state = databases.read(tenant, r -> r.state());
        if (!check(tenant, state, true)) {
          passOver(tenant, entries, entries.getFirst().entry().offset());
          return;
        }
        checked.add(tenant);
        unchecked.remove(tenant);
      }
      applier.apply(
          tenant,
          entries,
          applied(tenant),
          applied -> done[0] = committed(tenant, applied, entries.getLast().entry().offset()));
    } catch (ViewException failed) {
      parked.park(
          tenant, ParkedTenants.causeOf(failed), message(failed), durableOffset(tenant) + 1, -1);
      passOver(tenant, entries, done[0] + 1);
    } catch (Applier.ReplacedException replaced) {
      parked.park(tenant, Cause.BEHIND, message(replaced), replaced.offset() + 1, -1);
      passOver(tenant, entries, done[0] + 1);
    } catch (PoisonException poison) {
      parked.park(tenant, Cause.POISON, message(poison), poison.offset(), poison.offset());
      passOver(tenant, entries, poison.offset());
    }
  }

  /// Looks at one more database of the last run while there is nothing to apply: else it would be
  /// found to be an older copy only by its tenant's next record.
  private boolean checkNext() throws InterruptedException {
    Iterator<String> tenants = unchecked.keySet().iterator();
    if (!tenants.hasNext()) {
      return false;
    }
    checkUntouched(tenants.next());
    return true;
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
          tenant, ParkedTenants.causeOf(failed), message(failed), durableOffset(tenant) + 1, -1);
    }
    // Not before: else readers could meet it neither unchecked nor parked.
    unchecked.remove(tenant);
  }

  /// Whether the tenant's database must not be read: it is parked, or nobody has looked at it in
  /// this run and it does not have what was durable in it before. It will then be parked.
  public boolean isUnusable(String tenant) {
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

  /// The offset that this loop knows to be applied, or -1.
  private long applied(String tenant) {
    TenantMark mark = positions.get(tenant);
    return mark == null ? -1 : mark.offset();
  }

  static String message(Exception failed) {
    String message = failed.getMessage();
    return message == null ? failed.toString() : message;
  }

  /// Whether the database belongs to this log; it is parked if not.
  private boolean check(String tenant, ViewState state, boolean againstDurable) {
    long offset = state.appliedOffset();
    if (offset >= log.stableEnd(stream)) {
      ahead(
          tenant,
          "its database has applied offset "
              + offset
              + ", and the log ends before "
              + log.stableEnd(stream));
      return false;
    }
    String epoch = epochAt(offset);
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
    TenantMark mark = againstDurable ? durableMark(tenant) : null;
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

  private void passOver(String tenant, List<Incoming> entries, long from) {
    long records = 0;
    long bytes = 0;
    long first = -1;
    for (Incoming incoming : entries) {
      LogEntry entry = incoming.entry();
      if (entry.offset() >= from) {
        first = first < 0 ? entry.offset() : first;
        records++;
        bytes += entry.payload().length;
      }
    }
    if (records == 0) {
      return;
    }
    parked.heldBack(tenant, records, bytes);
    lock.lock();
    try {
      heldFrom.putIfAbsent(tenant, first);
    } finally {
      lock.unlock();
    }
  }

  /// @return the offset that is applied
  private long committed(String tenant, Applied applied, long last) {
    ViewState state = applied.state();
    long offset = Math.min(last, state.appliedOffset());
    lock.lock();
    try {
      touched.add(tenant);
      bytesSinceCheckpoint += applied.bytes();
      appliedEvents += applied.events();
    } finally {
      lock.unlock();
    }
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

  private void block(String event, Exception cause, @Nullable DamagedException damaged) {
    String reason = message(cause);
    boolean isNew;
    lock.lock();
    try {
      isNew = !reason.equals(blocked);
      blocked = reason;
      damage = damaged;
    } finally {
      lock.unlock();
    }
    if (isNew) {
      Events.severe(event, null, "stream", stream, "reason", reason);
    }
  }

  private void unblock() {
    lock.lock();
    try {
      blocked = null;
      damage = null;
    } finally {
      lock.unlock();
    }
  }

  /// A rebuild met damage that this loop has passed already, when it was not there yet; null if the
  /// latest rebuild met none.
  void damagedInRebuild(@Nullable DamagedException damaged) {
    lock.lock();
    try {
      rebuildDamage = damaged;
    } finally {
      lock.unlock();
    }
  }

  /// The damage of the log in front of which this loop or a rebuild waits, until it is recorded as
  /// lost or can be read again; null if there is none.
  public @Nullable DamagedException damage() {
    DamagedException ofRebuild;
    lock.lock();
    try {
      if (damage != null) {
        return damage;
      }
      ofRebuild = rebuildDamage;
    } finally {
      lock.unlock();
    }
    if (ofRebuild == null
        || decisions.losses(stream).stream()
            .noneMatch(loss ->
                loss.first() <= ofRebuild.firstOffset()
                    && ofRebuild.endOffset() - 1 <= loss.last())) {
      return ofRebuild;
    }
    lock.lock();
    try {
      rebuildDamage = rebuildDamage == ofRebuild ? null : rebuildDamage;
    } finally {
      lock.unlock();
    }
    return null;
  }

  /// A tenant that has caught up.
  ///
  /// @param through everything of it before this offset is applied
  record Recovered(String tenant, long through) {}

  /// Held-back log records that are applied now.
  private record Notice(long offset, List<String> keys, long bytes) {
    static Notice of(List<Incoming> entries) {
      List<String> keys = new ArrayList<>();
      long bytes = 0;
      for (Incoming incoming : entries) {
        bytes += incoming.entry().payload().length;
        if (incoming.body() != null) {
          incoming.body().transactions().forEach(t -> keys.add(t.key()));
        }
      }
      return new Notice(entries.getLast().entry().offset(), keys, bytes);
    }
  }

  void recovered(Recovered tenant) {
    lock.lock();
    try {
      recovered.add(tenant);
    } finally {
      lock.unlock();
    }
    signal.wake();
  }

  /// Tenants come back here, in the thread that applies, so that no log record is passed over
  /// between their last one and the first that this loop applies for them.
  private boolean takeRecovered() throws InterruptedException {
    List<Recovered> ready;
    lock.lock();
    try {
      ready = recovered;
      recovered = new ArrayList<>();
    } finally {
      lock.unlock();
    }
    for (Recovered tenant : ready) {
      takeBack(tenant);
    }
    return !ready.isEmpty();
  }

  private void takeBack(Recovered ready) throws InterruptedException {
    String tenant = ready.tenant();
    long position = ready.through();
    try {
      while (position < next()) {
        StreamReader.Chunk chunk = reader.read(position, next(), MAX_RECORDS, MAX_BYTES);
        List<Incoming> entries =
            chunk.entries().stream().filter(e -> tenant.equals(e.tenant())).toList();
        applyHeldBack(tenant, entries);
        position = chunk.next();
      }
      ViewState state = databases.read(tenant, r -> r.state());
      List<Notice> told;
      lock.lock();
      try {
        heldFrom.remove(tenant);
        told = notices.remove(tenant);
        touched.add(tenant);
      } finally {
        lock.unlock();
      }
      checked.add(tenant);
      unchecked.remove(tenant);
      parked.unpark(tenant);
      positions.set(tenant, TenantMark.of(state));
      mailboxes.rebuilt(tenant);
      mailboxes.behind(tenant);
      if (told != null) {
        for (Notice notice : told) {
          listener.applied(tenant, stream, notice.offset(), notice.keys(), notice.bytes());
        }
      }
    } catch (ViewException failed) {
      parked.park(tenant, ParkedTenants.causeOf(failed), message(failed), position, -1);
    } catch (PoisonException poison) {
      parked.park(tenant, Cause.POISON, message(poison), poison.offset(), poison.offset());
    } catch (DamagedException damaged) {
      damagedInRebuild(damaged);
      parked.park(tenant, Cause.BEHIND, message(damaged), position, -1);
    } catch (IOException failed) {
      parked.park(tenant, Cause.BEHIND, message(failed), position, -1);
    }
  }

  /// Applies log records of a parked tenant and notes those that were passed over.
  void applyHeldBack(String tenant, List<Incoming> entries)
      throws ViewException, InterruptedException {
    if (entries.isEmpty()) {
      return;
    }
    long[] done = {-1};
    try {
      applier.apply(tenant, entries, -1, applied -> done[0] = applied.state().appliedOffset());
    } finally {
      note(tenant, entries, done[0]);
    }
  }

  /// Remembers, until the tenant comes back, what those who wait for held-back records are told.
  private void note(String tenant, List<Incoming> entries, long through) {
    lock.lock();
    try {
      Long from = heldFrom.get(tenant);
      if (from == null) {
        return;
      }
      List<Incoming> held =
          entries.stream()
              .filter(e -> e.entry().offset() >= from && e.entry().offset() <= through)
              .toList();
      if (!held.isEmpty()) {
        Notice notice = Notice.of(held);
        notices.computeIfAbsent(tenant, t -> new ArrayList<>()).add(notice);
        heldFrom.put(tenant, notice.offset() + 1);
      }
    } finally {
      lock.unlock();
    }
  }

  /// The offset that the next turn begins with.
  public long next() {
    lock.lock();
    try {
      return next;
    } finally {
      lock.unlock();
    }
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

  private @Nullable TenantMark durableMark(String tenant) {
    lock.lock();
    try {
      return durable.get(tenant);
    } finally {
      lock.unlock();
    }
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

  /// The last offset that is known to be durable in the tenant's database, or -1.
  long durableOffset(String tenant) {
    TenantMark mark = durableMark(tenant);
    return mark == null ? -1 : mark.offset();
  }

  StreamReader reader() {
    return reader;
  }

  ApplyDecisions decisions() {
    return decisions;
  }

  boolean checkRecovering(String tenant, ViewState state) {
    return check(tenant, state, false);
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

  /// What a checkpoint is to make durable.
  ///
  /// @param through everything before it is applied or held back
  /// @param parked the tenants for which log records before it are held back
  record ToCheckpoint(
      long through,
      String epoch,
      Set<String> touched,
      Map<String, TenantMark> marks,
      List<Parked> parked,
      long lost) {}

  long bytesSinceCheckpoint() {
    lock.lock();
    try {
      return bytesSinceCheckpoint;
    } finally {
      lock.unlock();
    }
  }

  /// Takes what was touched since the last call.
  ToCheckpoint takeTouched() {
    Set<String> taken;
    long through;
    long lostBefore;
    List<Parked> held;
    lock.lock();
    try {
      taken = touched;
      touched = new HashSet<>();
      through = next;
      lostBefore = lost;
      held = parkedAtNext;
      bytesSinceCheckpoint = 0;
    } finally {
      lock.unlock();
    }
    Map<String, TenantMark> marks = new HashMap<>();
    for (String tenant : taken) {
      TenantMark mark = positions.get(tenant);
      if (mark != null) {
        marks.put(tenant, mark);
      }
    }
    String epoch = epochAt(through - 1);
    return new ToCheckpoint(through, epoch == null ? "" : epoch, taken, marks, held, lostBefore);
  }

  /// Gives tenants back that could not be checkpointed.
  void touchAgain(Set<String> tenants) {
    lock.lock();
    try {
      touched.addAll(tenants);
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

  /// How applying stands. Computed by the caller's thread from the log and from what the loop has
  /// finished, so that it also tells of a loop that is stuck.
  public ApplyStats stats() {
    long head = log.stableEnd(stream);
    long position;
    long lostRecords;
    long eventsApplied;
    String reason;
    boolean damaged;
    lock.lock();
    try {
      position = next;
      lostRecords = lost;
      eventsApplied = appliedEvents;
      reason = blocked;
      damaged = damage != null;
    } finally {
      lock.unlock();
    }
    long lagMillis = 0;
    if (position < head) {
      try {
        List<LogEntry> oldest = log.read(stream, position, 1, 1);
        if (!oldest.isEmpty()) {
          lagMillis = Math.max(0, clock.wallMillis() - oldest.getFirst().time());
        }
      } catch (IOException | DamagedException unreadableNow) {
        reason = message(unreadableNow);
      }
    }
    long stored = 0;
    long duplicates = 0;
    long conflicts = 0;
    long skipped = unreadable.quarantined();
    for (TenantMark mark : positions.all().values()) {
      stored += mark.stored();
      duplicates += mark.duplicates();
      conflicts += mark.conflicts();
      skipped += mark.skipped();
    }
    List<Parked> tenants = parked.list();
    return new ApplyStats(
        stream,
        position - 1,
        head - 1,
        Math.max(0, head - position),
        lagMillis,
        tenants.size(),
        tenants.stream().mapToLong(Parked::heldBackRecords).sum(),
        stored,
        duplicates,
        conflicts,
        skipped,
        lostRecords,
        unreadable.waiting().size(),
        eventsApplied,
        reason,
        damaged);
  }
}
