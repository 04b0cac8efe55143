package com.datanadhi.hub.archive;

import com.datanadhi.hub.apply.Chain;
import com.datanadhi.hub.apply.LoopSignal;
import com.datanadhi.hub.archive.SegmentWriter.OtherChainException;
import com.datanadhi.hub.archive.SegmentWriter.Target;
import com.datanadhi.hub.archive.TenantArchive.Waiting;
import com.datanadhi.hub.archive.TenantRows.ChangedException;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.objects.ObjectStoreException.Kind;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Copies what is applied into the archive, tenant by tenant, in order of seq, without a hole. What
/// is archived is known from the store alone: the newest segment of a tenant is read once in a run.
///
/// Before rows leave, the chain from the archive's end over them has to give the chain of the
/// database. A tenant whose rows or whose archive are not as they have to be is left alone with an
/// alarm; others go on. When the store fails, all wait: 1 s, then twice as long each time, up to 60
/// s.
///
/// One thread calls [#run] or [#turn]; all other methods are thread-safe.
public final class Archiver {
  private static final Duration PAUSE = Duration.ofSeconds(1);
  private static final Duration MAX_BACK_OFF = Duration.ofSeconds(60);

  /// After a database could not be read.
  private static final Duration DATABASE_PAUSE = Duration.ofSeconds(10);

  /// A tenant with this many records does not wait for the interval.
  private static final int RECORDS = 10_000;

  /// After so many segments of a tenant it is the next one's turn.
  private static final int SEGMENTS_A_TURN = 8;

  private final ArchiveReader reader;
  private final SegmentWriter writer;
  private final TenantDatabases databases;
  private final AppliedTenants applied;
  private final ArchiveListener listener;
  private final Path scratch;
  private final Duration interval;
  private final Clock clock;
  private final LoopSignal signal = new LoopSignal();
  private final Map<String, TenantArchive> tenants = new ConcurrentHashMap<>();
  private final AtomicLong segments = new AtomicLong();
  private final AtomicLong events = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicLong failures = new AtomicLong();
  private volatile @Nullable Long lastSuccess;
  private volatile @Nullable Long lastFailure;
  private volatile @Nullable String lastError;
  private Through through = new Through("", 0, null);
  private int storeFailuresInARow;
  private @Nullable Long storeNotBefore;

  /// @param applied which tenants there are, and how far they are applied
  /// @param scratch a directory for segments that are being written
  /// @param interval how long an applied record waits for others at most
  /// @param listener is told of archives that are ahead or forked
  public Archiver(
      ObjectStore store,
      TenantDatabases databases,
      AppliedTenants applied,
      Path scratch,
      Duration interval,
      ArchiveListener listener,
      Clock clock) {
    this.reader = new ArchiveReader(store);
    this.writer = new SegmentWriter(store, databases, scratch);
    this.databases = databases;
    this.applied = applied;
    this.scratch = scratch;
    this.interval = interval;
    this.listener = listener;
    this.clock = clock;
  }

  /// Works until [#stop] or an interrupt. What is not archived then is archived by the next run.
  public void run() throws InterruptedException {
    try {
      SegmentFile.deleteLeftOver(scratch);
    } catch (IOException failed) {
      Events.warning("archive_scratch_not_cleared", "reason", failed.toString());
    }
    while (!signal.isStopped()) {
      if (!turn()) {
        signal.pause(PAUSE);
      }
    }
  }

  public void stop() {
    signal.stop();
  }

  /// Archives what is due.
  ///
  /// @return whether there is more to do at once
  public boolean turn() throws InterruptedException {
    long now = clock.nanoTime();
    if (storeNotBefore != null && now - storeNotBefore < 0) {
      return false;
    }
    boolean isMore = false;
    for (Work work : due(now)) {
      if (signal.isStopped()) {
        return false;
      }
      TenantArchive tenant = work.tenant();
      try {
        isMore |= archive(work);
        tenant.failuresInARow = 0;
        storeFailuresInARow = 0;
        storeNotBefore = null;
      } catch (ObjectStoreException failed) {
        failed(work, failed);
        if (failed.kind() == Kind.UNAVAILABLE) {
          storeNotBefore = clock.nanoTime() + backOff(++storeFailuresInARow).toNanos();
          return false;
        }
      } catch (IOException failed) {
        failed(work, failed);
      } catch (ViewException | ChangedException notNow) {
        Events.warning("archive_waits", "tenant", work.name(), "reason", notNow.getMessage());
        tenant.proven = null;
        tenant.notBefore = clock.nanoTime() + DATABASE_PAUSE.toNanos();
      } catch (ForkedException forked) {
        tenant.proven = null;
        relation(work, ArchiveRelation.FORKED, forked.archiveSeq());
      } catch (AlarmException | ArchiveFaultException wrong) {
        tenant.alarm = String.valueOf(wrong.getMessage());
        tenant.proven = null;
        Events.severe("archive_stopped", null, "tenant", work.name(), "reason", wrong.getMessage());
      }
    }
    return isMore;
  }

  /// A tenant that something is to be done for.
  private record Work(String name, TenantArchive tenant, long seq) {}

  /// The tenants with something to do; those that failed last come last.
  private List<Work> due(long now) throws InterruptedException {
    List<Work> due = new ArrayList<>();
    for (Map.Entry<String, Long> entry : applied.seqs().entrySet()) {
      TenantArchive tenant = tenants.computeIfAbsent(entry.getKey(), _ -> new TenantArchive());
      Work work = new Work(entry.getKey(), tenant, entry.getValue());
      if (tenant.isToForget) {
        tenant.forget();
      }
      if (isDue(work, now)) {
        due.add(work);
      }
    }
    due.sort(Comparator.comparingInt(work -> work.tenant().failuresInARow));
    return due;
  }

  private boolean isDue(Work work, long now) throws InterruptedException {
    TenantArchive tenant = work.tenant();
    if (tenant.alarm != null
        || tenant.relation == ArchiveRelation.FORKED
        || (tenant.notBefore != null && now - tenant.notBefore < 0)) {
      return false;
    }
    ArchiveHead head = tenant.head;
    if (head == null) {
      return true;
    }
    if (tenant.relation == ArchiveRelation.AHEAD) {
      return work.seq() >= head.seq();
    }
    if (work.seq() <= head.seq()) {
      return false;
    }
    note(work, head.seq() + 1);
    if (tenant.dueSince == null) {
      tenant.dueSince = now;
    }
    return now - tenant.dueSince >= interval.toNanos() || work.seq() - head.seq() >= RECORDS;
  }

  /// Notes where the log has the first row that is not archived.
  private void note(Work work, long seq) throws InterruptedException {
    Waiting known = work.tenant().waiting;
    if (known != null && known.seq() == seq) {
      return;
    }
    try {
      databases.read(
          work.name(),
          view -> {
            view.events(
                new EventFilter(seq, 1, null, null, null),
                row -> {
                  if (row.seq() == seq) {
                    work.tenant().waiting = new Waiting(seq, row.position());
                  }
                  return false;
                });
            return true;
          });
    } catch (ViewException unreadable) {
      // Not known: it counts as the log's first record until the archiving itself reports it.
      work.tenant().waiting = null;
    }
  }

  /// Archives a tenant's rows.
  ///
  /// @return whether there are more
  private boolean archive(Work work)
      throws IOException,
          ViewException,
          ForkedException,
          AlarmException,
          ArchiveFaultException,
          ChangedException,
          InterruptedException {
    TenantArchive tenant = work.tenant();
    ArchiveHead head = tenant.head;
    if (head == null || tenant.relation != ArchiveRelation.CONTINUES) {
      contact(work);
      return false;
    }
    Target target = target(work, head);
    TenantRows rows = new TenantRows(databases, work.name(), head.seq() + 1, target.seq());
    for (int i = 0; i < SEGMENTS_A_TURN && head.seq() < target.seq(); i++) {
      if (signal.isStopped()) {
        return false;
      }
      ArchiveHead before = head;
      try {
        head = writer.write(work.name(), before, rows, target);
      } catch (OtherChainException _) {
        throw otherChain(work, before);
      }
      archived(tenant, before.seq(), head);
      target = new Target(target.seq(), target.chain(), target.epoch(), true);
      if (rows.nextSeq() != head.seq() + 1) {
        // Other data was adopted.
        rows = new TenantRows(databases, work.name(), head.seq() + 1, target.seq());
      }
    }
    boolean isMore = head.seq() < target.seq();
    tenant.proven = isMore ? target : null;
    if (!isMore) {
      tenant.dueSince = null;
    }
    return isMore;
  }

  /// Up to where the tenant is archived now. Many rows are proven first, in a reading of their own;
  /// few are proven while their segment is written, before it leaves.
  private Target target(Work work, ArchiveHead head)
      throws ViewException,
          ForkedException,
          AlarmException,
          ChangedException,
          InterruptedException {
    Target proven = work.tenant().proven;
    if (proven != null && proven.seq() >= work.seq()) {
      return proven;
    }
    if (proven == null && work.seq() - head.seq() <= RECORDS) {
      ViewState state = state(work);
      return new Target(state.seq(), state.chain(), String.valueOf(state.epoch()), false);
    }
    Target shown = prove(work, head);
    work.tenant().proven = shown;
    return shown;
  }

  /// Why the rows do not give the chain of the database.
  private AlarmException otherChain(Work work, ArchiveHead head)
      throws ViewException,
          ForkedException,
          AlarmException,
          ChangedException,
          InterruptedException {
    work.tenant().proven = null;
    Target now = prove(work, head);
    return new AlarmException(
        "canonical.db: its rows up to seq "
            + now.seq()
            + " changed while they were read; look at the disk, and set its files aside: the hub"
            + " rebuilds it from the log or the archive");
  }

  private void archived(TenantArchive tenant, long before, ArchiveHead head) {
    tenant.head = head;
    SegmentChecksum checksum = head.checksum();
    long _ = segments.incrementAndGet();
    long _ = events.addAndGet(head.seq() - before);
    long _ = bytes.addAndGet(checksum == null ? 0 : checksum.bytes());
    lastSuccess = clock.wallMillis();
  }

  /// The state of the database, which has what was applied.
  private ViewState state(Work work) throws ViewException, ChangedException, InterruptedException {
    if (!databases.exists(work.name())) {
      throw new ChangedException();
    }
    ViewState state = databases.read(work.name(), view -> view.state());
    if (state.seq() < work.seq()) {
      throw new ChangedException();
    }
    return state;
  }

  /// Looks at a tenant's archive for the first time, and compares it with the database.
  private void contact(Work work)
      throws IOException,
          ViewException,
          ForkedException,
          AlarmException,
          ArchiveFaultException,
          ChangedException,
          InterruptedException {
    String name = work.name();
    TenantArchive tenant = work.tenant();
    ArchiveHead found = reader.head(name);
    ArchiveHead head = found == null ? ArchiveHead.none(name) : found;
    long seq = 0;
    String chain = Chain.ofTenant(name).hex();
    if (work.seq() > 0) {
      ViewState state = state(work);
      seq = state.seq();
      chain = state.chain();
      if (seq > head.seq()) {
        tenant.proven = prove(work, head);
      }
    }
    if (seq == head.seq() && !chain.equals(head.chain())) {
      throw new ForkedException(seq, head.seq());
    }
    if (seq < head.seq()) {
      String archived = seq == 0 ? chain : reader.chainAt(name, seq);
      if (archived == null) {
        throw new AlarmException(
            "the database stands at seq "
                + seq
                + ", and retention has deleted the archive up to a higher one: restore the tenant"
                + " from a snapshot");
      }
      if (!archived.equals(chain)) {
        throw new ForkedException(seq, head.seq());
      }
    }
    tenant.head = head;
    tenant.dueSince = clock.nanoTime();
    relation(
        work, seq < head.seq() ? ArchiveRelation.AHEAD : ArchiveRelation.CONTINUES, head.seq());
    if (seq > head.seq()) {
      note(work, head.seq() + 1);
    }
  }

  /// Shows that the rows behind the archive's end lead from its chain to that of the database. What
  /// was shown before is not read again.
  private Target prove(Work work, ArchiveHead head)
      throws ViewException,
          ForkedException,
          AlarmException,
          ChangedException,
          InterruptedException {
    String tenant = work.name();
    ViewState state = state(work);
    if (head.seq() == state.firstSeq() - 1 && !head.chain().equals(state.chainBeforeFirst())) {
      throw new ForkedException(head.seq(), head.seq());
    }
    Target before = work.tenant().proven;
    long from = head.seq();
    Chain chain = Chain.from(head.chain());
    if (before != null && before.seq() > from) {
      from = before.seq();
      chain = Chain.from(before.chain());
    }
    @Nullable AlarmException wrong = null;
    try {
      new TenantRows(databases, tenant, from + 1, state.seq()).addTo(chain);
      if (chain.hex().equals(state.chain())) {
        return new Target(state.seq(), state.chain(), String.valueOf(state.epoch()), true);
      }
    } catch (AlarmException torn) {
      if (state.firstSeq() > head.seq() + 1) {
        throw torn;
      }
      // The archive can end where this database has the middle of a transaction.
      wrong = torn;
    }
    Chain own = Chain.from(state.chainBeforeFirst());
    new TenantRows(databases, tenant, state.firstSeq(), state.seq()).addTo(own);
    if (own.hex().equals(state.chain())) {
      throw new ForkedException(head.seq(), head.seq());
    }
    if (wrong != null) {
      throw wrong;
    }
    throw new AlarmException(
        "canonical.db: its rows up to seq "
            + state.seq()
            + " do not give its chain, so one of them was changed; set its files aside, and the"
            + " hub rebuilds it from the log or the archive");
  }

  private void relation(Work work, ArchiveRelation relation, long archiveSeq) {
    TenantArchive tenant = work.tenant();
    if (tenant.relation == relation) {
      return;
    }
    tenant.relation = relation;
    if (relation != ArchiveRelation.CONTINUES) {
      Events.warning(
          "archive_not_continued",
          "tenant",
          work.name(),
          "relation",
          relation,
          "tenant_seq",
          work.seq(),
          "archive_seq",
          archiveSeq);
    }
    listener.relation(work.name(), relation, work.seq(), archiveSeq);
  }

  private void failed(Work work, IOException failed) {
    long _ = failures.incrementAndGet();
    lastFailure = clock.wallMillis();
    lastError = work.name() + ": " + failed.getMessage();
    TenantArchive tenant = work.tenant();
    tenant.notBefore = clock.nanoTime() + backOff(++tenant.failuresInARow).toNanos();
    if (tenant.failuresInARow == 1) {
      Events.warning("archive_failed", "tenant", work.name(), "reason", failed.toString());
    }
  }

  private static Duration backOff(int failuresInARow) {
    Duration pause = Duration.ofSeconds(1L << Math.min(failuresInARow - 1, 6));
    return pause.compareTo(MAX_BACK_OFF) < 0 ? pause : MAX_BACK_OFF;
  }

  /// Looks at a tenant's archive again as if for the first time, such as after its database was
  /// rebuilt or a person has dealt with an alarm.
  public void recheck(String tenant) {
    TenantArchive known = tenants.get(tenant);
    if (known != null) {
      known.isToForget = true;
      signal.wake();
    }
  }

  /// The last seq of a tenant that is known to be archived, or -1 if none is known to be: the store
  /// could not be asked yet, or the archive has other rows.
  public long archivedSeq(String tenant) {
    TenantArchive known = tenants.get(tenant);
    return known == null ? -1 : archivedSeq(known);
  }

  private static long archivedSeq(TenantArchive tenant) {
    ArchiveHead head = tenant.head;
    boolean isOfTenant =
        tenant.relation != ArchiveRelation.FORKED && tenant.relation != ArchiveRelation.AHEAD;
    return head != null && isOfTenant ? head.seq() : -1;
  }

  /// How a tenant's archive stands to its database.
  public ArchiveRelation relation(String tenant) {
    TenantArchive known = tenants.get(tenant);
    return known == null ? ArchiveRelation.UNKNOWN : known.relation;
  }

  /// How far the log is archived.
  ///
  /// @param epoch the first 8 hex digits of the log's epoch
  /// @param offset every row that a log record before it has stored is archived
  /// @param blocker the tenant of the first row that is not, or null if all are
  public record Through(String epoch, long offset, @Nullable String blocker) {}

  /// How far the stream `events-0` is archived, which never falls as long as the epoch is the same.
  ///
  /// @param epoch the first 8 hex digits of the log's epoch. A row from another epoch that is not
  ///   archived counts as the first record of the log
  /// @param appliedBefore all log records before this offset were applied before this call, and
  ///   [AppliedTenants] knows that
  public synchronized Through archivedThrough(String epoch, long appliedBefore) {
    long offset = appliedBefore;
    String blocker = null;
    for (Map.Entry<String, Long> entry : applied.seqs().entrySet()) {
      String name = entry.getKey();
      if (!name.equals(TenantName.CONTROL)) {
        long first = firstUnarchived(name, entry.getValue(), epoch);
        if (first < offset) {
          offset = first;
          blocker = name;
        }
      }
    }
    // It was true, so it stays true: a row that is seen for the first time is not known at once.
    long reached = through.epoch().equals(epoch) ? Math.max(through.offset(), offset) : offset;
    through = new Through(epoch, reached, blocker);
    return through;
  }

  private long firstUnarchived(String name, long seq, String epoch) {
    TenantArchive tenant = tenants.get(name);
    long archived = tenant == null ? -1 : archivedSeq(tenant);
    if (Math.max(archived, 0) >= seq) {
      return Long.MAX_VALUE;
    }
    Waiting waiting = tenant == null ? null : tenant.waiting;
    return waiting != null && waiting.seq() == archived + 1 && waiting.isOf(epoch)
        ? waiting.offset()
        : 0;
  }

  /// The figures, by the caller's thread: a stuck archiver shows as a lag that grows.
  public ArchiveStats stats() {
    long lag = 0;
    for (Map.Entry<String, Long> entry : applied.seqs().entrySet()) {
      lag += Math.max(0, entry.getValue() - Math.max(0, archivedSeq(entry.getKey())));
    }
    SortedMap<String, String> alarms = new TreeMap<>();
    Map<String, ArchiveRelation> waiting = new HashMap<>();
    tenants.forEach((name, tenant) -> {
      String alarm = tenant.alarm;
      if (alarm != null) {
        alarms.put(name, alarm);
      }
      if (tenant.relation == ArchiveRelation.AHEAD || tenant.relation == ArchiveRelation.FORKED) {
        waiting.put(name, tenant.relation);
      }
    });
    return new ArchiveStats(
        lag,
        segments.get(),
        events.get(),
        bytes.get(),
        lastSuccess,
        failures.get(),
        lastFailure,
        lastError,
        alarms,
        waiting);
  }
}
