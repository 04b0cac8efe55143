package com.datanadhi.hub.hub;

import com.datanadhi.hub.admin.HubLauncher.InvalidSettingException;
import com.datanadhi.hub.admin.HubSettings;
import com.datanadhi.hub.admin.HubStatus;
import com.datanadhi.hub.admin.HubStatus.TenantProblem;
import com.datanadhi.hub.apply.ApplyLoop;
import com.datanadhi.hub.apply.ParkedTenants;
import com.datanadhi.hub.apply.ParkedTenants.Cause;
import com.datanadhi.hub.apply.TenantBase;
import com.datanadhi.hub.archive.ArchiveFaultException;
import com.datanadhi.hub.archive.ArchiveReader;
import com.datanadhi.hub.archive.ArchiveRelation;
import com.datanadhi.hub.archive.ArchiveRetention;
import com.datanadhi.hub.archive.ArchiveStats;
import com.datanadhi.hub.archive.Archiver;
import com.datanadhi.hub.control.ControlStore;
import com.datanadhi.hub.drill.Drill;
import com.datanadhi.hub.drill.DrillLoop;
import com.datanadhi.hub.drill.DrillResult;
import com.datanadhi.hub.drill.LastDrill;
import com.datanadhi.hub.intake.Intake;
import com.datanadhi.hub.log.segments.SegmentLog;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.objects.ObjectStore;
import com.datanadhi.hub.objects.ObjectStoreException;
import com.datanadhi.hub.objects.ObjectStores;
import com.datanadhi.hub.objects.Parallel;
import com.datanadhi.hub.objects.StoreProbe;
import com.datanadhi.hub.objects.StoreProbe.Result;
import com.datanadhi.hub.record.TenantName;
import com.datanadhi.hub.restore.OldCopies;
import com.datanadhi.hub.restore.OldCopies.Finding;
import com.datanadhi.hub.restore.Restorer;
import com.datanadhi.hub.restore.ServingRefusedException;
import com.datanadhi.hub.restore.TenantRebuild;
import com.datanadhi.hub.snapshot.InvalidSnapshotException;
import com.datanadhi.hub.snapshot.Snapshot;
import com.datanadhi.hub.snapshot.SnapshotLoop;
import com.datanadhi.hub.snapshot.SnapshotStats;
import com.datanadhi.hub.snapshot.SnapshotStore;
import com.datanadhi.hub.snapshot.Snapshotter;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// The object store of an open directory, and what works with it: archiver, snapshots, retention
/// and drill. None of them begins before the store was probed. A store that is down makes the hub
/// degraded, and is tried again. Thread-safe.
final class Backups implements AutoCloseable {
  /// How long the start waits for the store to answer: with a store that is only slow, archives
  /// have to be compared.
  private static final Duration START = Duration.ofSeconds(10);

  private static final Duration PROBE_AGAIN = Duration.ofSeconds(10);

  /// A store that answered can be lost later.
  private static final Duration LOOK_AGAIN = Duration.ofMinutes(1);

  private static final Duration PAUSE = Duration.ofSeconds(1);
  private static final Duration AFTER_FAULT = Duration.ofMinutes(1);

  private static final String FILE = "file:";
  private static final int EPOCH_DIGITS = 8;

  /// Archives that are compared at the same time: a store's answer takes some ten milliseconds.
  private static final int COMPARERS = 32;

  private final HubSettings.Objects settings;
  private final ObjectStore store;
  private final @Nullable Archiver archiver;
  private final @Nullable ArchiveRetention retention;
  private final Snapshotter snapshotter;
  private final @Nullable SnapshotLoop snapshots;
  private final TenantBase base;
  private final OldCopies oldCopies;
  private final ArchiveReader reader;
  private final TenantDatabases databases;
  private final ControlStore control;
  private final DrillLoop drills;
  private final Drill drill;
  private final ApplyLoop apply;
  private final SegmentLog log;
  private final boolean isOnDisk;
  private final BooleanSupplier isArchivingPaused;
  private final TenantSeqs tenants;
  private final CountDownLatch probed = new CountDownLatch(1);
  private final CountDownLatch usable = new CountDownLatch(1);
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final Map<String, String> faults = new ConcurrentHashMap<>();
  private volatile Result probe = new Result.Unreachable("it has not answered yet");

  /// @param isPaused whether nothing is to be deleted now, such as after a step of the clock
  /// @param isDiskShort whether the disk of DIR is nearly full
  Backups(
      OpenDirectory directory,
      String version,
      Map<String, String> environment,
      BooleanSupplier isPaused,
      BooleanSupplier isDiskShort)
      throws InvalidSettingException, IOException {
    settings = directory.settings.objects();
    Path data = directory.settings.dataDirectory();
    Clock clock = directory.clock;
    try {
      store = ObjectStores.open(settings.url(), environment);
    } catch (IllegalArgumentException wrong) {
      throw new InvalidSettingException("--objects: " + wrong.getMessage());
    }
    isOnDisk = isOnDiskOf(data, settings.url());
    isArchivingPaused = () -> isOnDisk && isDiskShort.getAsBoolean();
    apply = directory.apply;
    log = directory.log;
    tenants = new TenantSeqs(directory.databases, apply, directory.control);
    SnapshotStore snapshotStore = new SnapshotStore(store);
    snapshotter =
        new Snapshotter(
            directory.databases,
            snapshotStore,
            data.resolve("snapshot-scratch"),
            version,
            this::archivedSeq,
            clock);
    snapshots =
        settings.snapshots()
            ? new SnapshotLoop(
                this::snapshotTenants,
                directory.databases,
                snapshotStore,
                snapshotter,
                settings.snapshotInterval(),
                settings.snapshotKeep(),
                new SnapshotLoop.Pauses(isPaused, isDiskShort),
                clock)
            : null;
    archiver =
        settings.archive()
            ? new Archiver(
                store,
                directory.databases,
                () -> tenants.get().seqs(),
                data.resolve("archive-scratch"),
                settings.archiveInterval(),
                this::noteRelation,
                clock)
            : null;
    retention =
        settings.archive() && settings.snapshots()
            ? new ArchiveRetention(
                store, settings.archiveRetention(), this::provenSnapshotSeq, isPaused, clock)
            : null;
    reader = new ArchiveReader(store);
    databases = directory.databases;
    control = directory.control;
    oldCopies = new OldCopies(reader, directory.log, Intake.STREAM);
    base =
        new TenantRebuild(
            new Restorer(store, clock, (_, _, _) -> {}),
            directory.databases,
            data.resolve("rebuild-scratch"),
            this::isEpochOfLog,
            oldCopies,
            directory.continuations);
    drill =
        new Drill(
            new Restorer(store, clock, (_, _, _) -> {}),
            directory.databases,
            data.resolve("drill-scratch"),
            clock);
    drills =
        new DrillLoop(
            drill,
            this::drillTenants,
            settings.drillInterval(),
            new LastDrill(data.resolve("last-drill")),
            clock);
  }

  /// Looks, before any record is accepted, whether an old copy of the directory was put back, or a
  /// part of what was restored: then the archive has records that this log never had, and new
  /// records must not get the seqs and positions of those. Takes as long as that needs, as long as
  /// the store answers; what is not compared because it does not, the archiver compares before it
  /// archives.
  ///
  /// @param isStopping whether the hub is to end; then the rest is left
  /// @throws ServingRefusedException API keys would be missing
  void checkForOldCopy(BooleanSupplier isStopping) throws IOException, InterruptedException {
    if (archiver == null || !isUsable()) {
      return;
    }
    SortedMap<String, Finding> findings = compareAll(isStopping);
    if (findings.isEmpty()) {
      return;
    }
    // What the log has and the databases do not have yet decides, too.
    while (apply.turn() == ApplyLoop.Turn.WORKED) {}
    Finding ofControl = findings.remove(TenantName.CONTROL);
    if (ofControl != null) {
      throw controlIsOld(
          tenants.get().seqs().getOrDefault(TenantName.CONTROL, 0L), archiveSeq(ofControl));
    }
    var _ =
        Parallel.map(
            List.copyOf(findings.entrySet()),
            COMPARERS,
            entry -> {
              if (!isStopping.getAsBoolean()) {
                stop(entry.getKey(), entry.getValue());
              }
              return true;
            });
    log.beginEpoch();
  }

  /// The tenants whose archive has more than this log.
  private SortedMap<String, Finding> compareAll(BooleanSupplier isStopping)
      throws InterruptedException {
    Map<String, Long> seqs = new HashMap<>(tenants.get().seqs());
    control.tenants().forEach(tenant -> seqs.putIfAbsent(tenant, 0L));
    apply.parked().list().forEach(parked -> seqs.put(parked.tenant(), 0L));
    SortedMap<String, Finding> findings = new ConcurrentSkipListMap<>();
    try {
      var _ =
          Parallel.map(
              List.copyOf(seqs.entrySet()),
              COMPARERS,
              tenant -> {
                if (!isStopping.getAsBoolean()) {
                  compare(tenant.getKey(), tenant.getValue())
                      .ifPresent(finding -> findings.put(tenant.getKey(), finding));
                }
                return true;
              });
    } catch (ObjectStoreException away) {
      Events.warning("archives_not_compared", "reason", away.getMessage());
    }
    return findings;
  }

  /// What is wrong, if anything is.
  ///
  /// @throws ObjectStoreException the store does not answer
  private Optional<Finding> compare(String tenant, long seq)
      throws ObjectStoreException, InterruptedException {
    String stream = tenant.equals(TenantName.CONTROL) ? ControlStore.STREAM : Intake.STREAM;
    try {
      Finding finding = oldCopies.look(tenant, stream, seq);
      return finding instanceof Finding.Continues ? Optional.empty() : Optional.of(finding);
    } catch (ObjectStoreException failed) {
      if (failed.kind() == ObjectStoreException.Kind.UNAVAILABLE) {
        throw failed;
      }
      notCompared(tenant, failed);
    } catch (ArchiveFaultException wrong) {
      notCompared(tenant, wrong);
    }
    return Optional.empty();
  }

  /// The archiver meets the same, and tells it.
  private static void notCompared(String tenant, Exception reason) {
    Events.info("archive_not_compared", "tenant", tenant, "reason", reason.getMessage());
  }

  /// Keeps new records of the tenant from getting the seqs of archived ones.
  private void stop(String tenant, Finding finding) throws InterruptedException {
    long archiveSeq = archiveSeq(finding);
    ParkedTenants.Parked parked = apply.parked().get(tenant);
    if (parked == null && !databases.exists(tenant)) {
      // Nothing of it is in this log.
      oldCopies.continueBehind(
          tenant, new OldCopies.Part(log.epoch().toString(), log.stableEnd(Intake.STREAM)));
      park(tenant, Cause.OLD_COPY, oldCopy(0, archiveSeq));
    } else if (finding instanceof Finding.OldCopy
        && parked != null
        && parked.cause() == Cause.OLD_COPY) {
      // It was compared before, and has not caught up yet.
      park(tenant, Cause.OLD_COPY, oldCopy(0, archiveSeq));
    } else if (finding instanceof Finding.OldCopy && parked == null) {
      parkIfPrefix(tenant, archiveSeq);
    } else {
      park(tenant, Cause.FORKED, forked(0, archiveSeq));
    }
  }

  private static long archiveSeq(Finding finding) {
    return switch (finding) {
      case Finding.Continues _ -> 0;
      case Finding.OldCopy(long seq, _) -> seq;
      case Finding.Foreign(long seq) -> seq;
    };
  }

  private void parkIfPrefix(String tenant, long archiveSeq) throws InterruptedException {
    long seq = 0;
    boolean isPrefix;
    try {
      ViewState state = databases.read(tenant, reader -> reader.state());
      seq = state.seq();
      isPrefix = state.chain().equals(reader.chainAt(tenant, seq));
    } catch (ViewException | ObjectStoreException | ArchiveFaultException notComparable) {
      Events.warning(
          "archive_not_compared", "tenant", tenant, "reason", notComparable.getMessage());
      isPrefix = false;
    }
    park(
        tenant,
        isPrefix ? Cause.OLD_COPY : Cause.FORKED,
        isPrefix ? oldCopy(seq, archiveSeq) : forked(seq, archiveSeq));
  }

  private static String oldCopy(long seq, long archiveSeq) {
    return "its archive goes on to seq "
        + archiveSeq
        + ", and this data directory ends with "
        + seq
        + " (an old copy of it was put back, or other tenants were restored): it is rebuilt from"
        + " the archive";
  }

  /// Text for those who may not see addresses and paths.
  String withoutAddress(String text) {
    String shown = text.replace(settings.url(), "OBJECTS");
    return settings.url().startsWith(FILE)
        ? shown.replace(settings.url().substring(FILE.length()), "OBJECTS")
        : shown;
  }

  private static ServingRefusedException controlIsOld(long seq, long archiveSeq) {
    return new ServingRefusedException(
        "the archive of "
            + TenantName.CONTROL
            + " goes on to seq "
            + archiveSeq
            + ", and this copy of the data directory ends with "
            + seq
            + ": API keys would be missing, and senders would discard what they cannot deliver. Run"
            + " 'echopost-hub restore --all' into an empty directory and serve on that, or name"
            + " another place with --objects");
  }

  private static String forked(long seq, long archiveSeq) {
    return "its history is another one than that in the archive, which goes on to seq "
        + archiveSeq
        + ", and the database to "
        + seq
        + ": serve with another --objects, or restore the tenant";
  }

  private void park(String tenant, Cause cause, String reason) {
    apply.park(tenant, cause, reason);
  }

  private void noteRelation(
      String tenant, ArchiveRelation relation, long tenantSeq, long archiveSeq) {
    if (relation == ArchiveRelation.FORKED && !tenant.equals(TenantName.CONTROL)) {
      park(tenant, Cause.FORKED, forked(tenantSeq, archiveSeq));
    }
  }

  private boolean isEpochOfLog(String epoch) {
    return log.epoch().toString().equals(epoch)
        || log.segments(Intake.STREAM).stream()
            .anyMatch(segment -> segment.epoch().toString().equals(epoch));
  }

  /// What is kept of the tenants' histories in the object store.
  TenantBase base() {
    return base;
  }

  private static boolean isOnDiskOf(Path data, String url) {
    if (!url.startsWith(FILE)) {
      return false;
    }
    Path folder = Path.of(url.substring(FILE.length())).toAbsolutePath();
    try {
      while (!Files.exists(folder)) {
        Path parent = folder.getParent();
        if (parent == null) {
          return false;
        }
        folder = parent;
      }
      FileStore ofFolder = Files.getFileStore(folder);
      return ofFolder.equals(Files.getFileStore(data));
    } catch (IOException unknown) {
      return false;
    }
  }

  private Collection<String> snapshotTenants() {
    return tenants.get().seqs().keySet().stream()
        .filter(tenant -> !apply.parked().isParked(tenant))
        .toList();
  }

  private Collection<String> drillTenants() {
    return tenants.get().seqs().keySet().stream()
        .filter(name -> archiver == null || archiver.archivedSeq(name) > 0)
        .toList();
  }

  private long provenSnapshotSeq(String tenant) {
    if (snapshots == null) {
      return -1;
    }
    var newest = snapshots.stats().newest().get(tenant);
    return newest == null ? -1 : newest.seq();
  }

  // ---- start and end

  /// Begins to probe the store, in a thread of its own.
  void start() {
    Thread.ofVirtual().name("object-store-probe").start(this::probeAgainAndAgain);
  }

  /// Waits a moment for the store's answer.
  ///
  /// @throws InvalidSettingException the store answers, and cannot be used
  void awaitFirstProbe() throws InvalidSettingException, InterruptedException {
    boolean _ = probed.await(START.toMillis(), TimeUnit.MILLISECONDS);
    if (probe instanceof Result.Unfit(String message)) {
      throw new InvalidSettingException("--objects: " + message);
    }
  }

  private void probeAgainAndAgain() {
    try {
      do {
        probeOnce();
      } while (!stopped.await(
          (isUsable() ? LOOK_AGAIN : PROBE_AGAIN).toMillis(), TimeUnit.MILLISECONDS));
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
  }

  private void probeOnce() throws InterruptedException {
    Result before = probe;
    Result now = StoreProbe.probe(store);
    probe = now;
    switch (now) {
      case Result.Ok _ -> {
        if (!now.equals(before)) {
          Events.info("object_store_ready", "objects", settings.url());
        }
        usable.countDown();
      }
      case Result.Unfit(String message) when !now.equals(before) ->
          Events.severe("object_store_unfit", null, "reason", message);
      case Result.Unreachable(String reason) when !now.equals(before) ->
          Events.warning("object_store_unreachable", "reason", reason);
      default -> {}
    }
    probed.countDown();
  }

  private boolean awaitUsable() throws InterruptedException {
    while (!usable.await(100, TimeUnit.MILLISECONDS)) {
      if (stopped.getCount() == 0) {
        return false;
      }
    }
    return true;
  }

  void runArchiver() throws InterruptedException {
    run("archiver", archiver == null ? null : () -> archive(archiver));
  }

  private void archive(Archiver working) throws InterruptedException {
    while (stopped.getCount() > 0) {
      boolean isMore = !isArchivingPaused.getAsBoolean() && working.turn();
      if (!isMore) {
        boolean _ = stopped.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS);
      }
    }
  }

  void runRetention() throws InterruptedException {
    run("archive_retention", retention == null ? null : retention::run);
  }

  void runSnapshots() throws InterruptedException {
    run("snapshots", snapshots == null ? null : snapshots::run);
  }

  void runDrills() throws InterruptedException {
    run("drills", settings.areUsed() ? drills::run : null);
  }

  /// What a sibling of receiving and applying does. It ends by itself only when it is stopped.
  @FunctionalInterface
  private interface Loop {
    void run() throws InterruptedException;
  }

  /// Runs a loop once the store can be used. A fault of the program in it does not end the hub.
  private void run(String name, @Nullable Loop loop) throws InterruptedException {
    boolean isOver = loop == null || !awaitUsable();
    while (!isOver && loop != null) {
      try {
        faults.remove(name);
        loop.run();
        isOver = true;
      } catch (TenantSeqs.StoppingException stopping) {
        isOver = true;
      } catch (RuntimeException fault) {
        faults.put(name, fault.toString());
        Events.severe("loop_failed", fault, "loop", name);
        isOver = stopped.await(AFTER_FAULT.toMillis(), TimeUnit.MILLISECONDS);
      }
    }
    stopped.await();
  }

  /// Ends the loops.
  void stop() {
    stopped.countDown();
    if (archiver != null) {
      archiver.stop();
    }
    if (retention != null) {
      retention.stop();
    }
    if (snapshots != null) {
      snapshots.stop();
    }
    drills.stop();
  }

  @Override
  public void close() {
    stop();
    store.close();
  }

  // ---- what others ask for

  /// Before which offset of the log's records everything stored is archived, or -1 if that cannot
  /// be told now.
  long archivedThrough() {
    if (archiver == null) {
      return Long.MAX_VALUE;
    }
    long appliedBefore = apply.next();
    try {
      return tenants.get().isComplete()
          ? archiver
              .archivedThrough(log.epoch().toString().substring(0, EPOCH_DIGITS), appliedBefore)
              .offset()
          : -1;
    } catch (TenantSeqs.StoppingException stopping) {
      return -1;
    }
  }

  /// The last seq of a tenant that may leave its view.
  long archivedSeq(String tenant) {
    return archiver == null ? Long.MAX_VALUE : archiver.archivedSeq(tenant);
  }

  /// The last seq of a tenant that is known to be archived, or -1.
  long knownArchivedSeq(String tenant) {
    return archiver == null ? -1 : archiver.archivedSeq(tenant);
  }

  /// Takes a snapshot now.
  Snapshot takeSnapshot(String tenant)
      throws ViewException, IOException, InvalidSnapshotException, InterruptedException {
    return snapshots == null ? snapshotter.take(tenant) : snapshots.take(tenant);
  }

  /// Drills one tenant now.
  DrillResult drill(String tenant) throws ViewException, IOException, InterruptedException {
    DrillResult result = drill.run(tenant);
    drills.noted(result);
    return result;
  }

  /// The tenants that can be restored, as far as is known without asking the store.
  List<String> restorableTenants() {
    return tenants.get().seqs().entrySet().stream()
        .filter(entry -> entry.getValue() > 0)
        .map(Map.Entry::getKey)
        .toList();
  }

  @Nullable Archiver archiver() {
    return archiver;
  }

  @Nullable SnapshotLoop snapshots() {
    return snapshots;
  }

  DrillLoop drills() {
    return drills;
  }

  boolean areUsed() {
    return settings.areUsed();
  }

  /// Whether the store could be used when it was asked last.
  boolean isUsable() {
    return probe instanceof Result.Ok;
  }

  /// What the store is called in `/health`.
  String component() {
    return settings.url().startsWith(FILE) ? "objects" : "s3";
  }

  /// That archive and snapshots do not protect against the loss of the disk, or null.
  @Nullable String sameDiskWarning() {
    return isOnDisk && settings.areUsed()
        ? "archive and snapshots lie on the data directory's own file system: they protect against"
            + " damage, not against the loss of the disk; name another place with --objects"
        : null;
  }

  HubStatus.@Nullable Archive archiveStatus() {
    if (archiver == null) {
      return null;
    }
    ArchiveStats stats = archiver.stats();
    List<TenantProblem> stopped = new ArrayList<>();
    stats.alarms().forEach((tenant, reason) -> stopped.add(new TenantProblem(tenant, reason)));
    new TreeMap<>(stats.waiting())
        .forEach((tenant, relation) ->
            stopped.add(
                new TenantProblem(
                    tenant,
                    relation == ArchiveRelation.AHEAD
                        ? "the archive has more than the database"
                        : "the archive has other records under the same seqs")));
    Long success = stats.lastSuccess();
    return new HubStatus.Archive(
        settings.url(),
        stats.lagEvents(),
        success == null ? null : Instant.ofEpochMilli(success),
        stats.lastError(),
        stopped);
  }

  HubStatus.@Nullable Snapshots snapshotStatus() {
    if (snapshots == null) {
      return null;
    }
    SnapshotStats stats = snapshots.stats();
    return new HubStatus.Snapshots(
        stats.lastSuccess(), stats.oldestAgeHours(), stats.failing(), stats.lastError());
  }

  HubStatus.Drill drillStatus() {
    long success = drills.lastSuccessMillis();
    return new HubStatus.Drill(
        success == 0 ? null : Instant.ofEpochMilli(success),
        new TreeMap<>(drills.faults())
            .entrySet().stream()
                .map(fault -> new TenantProblem(fault.getKey(), fault.getValue()))
                .toList());
  }

  /// What needs a person, one sentence each. Without names of tenants: anybody can ask for the
  /// health.
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    if (!settings.areUsed()) {
      return problems;
    }
    switch (probe) {
      case Result.Unreachable(String reason) ->
          problems.add("the object store cannot be used: " + reason);
      case Result.Unfit(String message) -> problems.add("the object store is not fit: " + message);
      case Result.Ok _ -> {}
    }
    faults.forEach((name, fault) ->
        problems.add("a fault of the program stopped the " + name + " for a minute: " + fault));
    if (archiver != null) {
      var stats = archiver.stats();
      Long failure = stats.lastFailure();
      Long success = stats.lastSuccess();
      if (failure != null && stats.lagEvents() > 0 && (success == null || success < failure)) {
        problems.add("archiving fails: 'echopost-hub status' says why");
      }
      if (!stats.alarms().isEmpty()) {
        problems.add(
            "the archive of tenants does not go on ("
                + stats.alarms().size()
                + "): 'echopost-hub status' names them and says why");
      }
      if (!stats.waiting().isEmpty()) {
        problems.add(
            "the archive of tenants is ahead of their database, or has another history ("
                + stats.waiting().size()
                + "): 'echopost-hub status' names them");
      }
    }
    if (snapshots != null && snapshots.stats().failing() > 0) {
      problems.add(
          "snapshots of tenants fail ("
              + snapshots.stats().failing()
              + "): 'echopost-hub status' says why");
    }
    if (!drills.faults().isEmpty()) {
      problems.add(
          "a drill found that tenants cannot be restored ("
              + drills.faults().size()
              + "): 'echopost-hub status' names them and says why");
    }
    return problems;
  }
}
