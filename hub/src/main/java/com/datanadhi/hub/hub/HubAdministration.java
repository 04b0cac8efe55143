package com.datanadhi.hub.hub;

import com.datanadhi.hub.admin.Administration;
import com.datanadhi.hub.admin.AdministrationException;
import com.datanadhi.hub.admin.AdministrationException.Reason;
import com.datanadhi.hub.admin.HubStatus;
import com.datanadhi.hub.admin.HubStatus.Blocker;
import com.datanadhi.hub.admin.HubStatus.Parked;
import com.datanadhi.hub.admin.HubStatus.Poison;
import com.datanadhi.hub.admin.HubStatus.Stream;
import com.datanadhi.hub.apply.ApplyStats;
import com.datanadhi.hub.apply.HistoryCheck;
import com.datanadhi.hub.apply.ParkedTenants;
import com.datanadhi.hub.control.ApiKey;
import com.datanadhi.hub.control.ControlUnavailableException;
import com.datanadhi.hub.control.NewApiKey;
import com.datanadhi.hub.intake.Intake;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.LogStats;
import com.datanadhi.hub.log.SegmentInfo;
import com.datanadhi.hub.record.Position;
import com.datanadhi.hub.snapshot.InvalidSnapshotException;
import com.datanadhi.hub.snapshot.Snapshot;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.SourceState;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantReader;
import com.datanadhi.hub.view.ViewException;
import com.datanadhi.hub.view.ViewState;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What operators can do with an open data directory. Thread-safe.
class HubAdministration implements Administration {
  private final OpenDirectory directory;
  private final @Nullable HubHealth health;
  private final @Nullable Backups backups;
  private final String version;
  private final Instant startedAt;

  /// @param health of the running hub; null if none runs
  /// @param backups of the running hub; null if none runs
  HubAdministration(
      OpenDirectory directory,
      @Nullable HubHealth health,
      @Nullable Backups backups,
      String version) {
    this.directory = directory;
    this.health = health;
    this.backups = backups;
    this.version = version;
    this.startedAt = Instant.ofEpochMilli(directory.clock.wallMillis());
  }

  @Override
  public NewApiKey createKey(String tenant, @Nullable String name)
      throws AdministrationException, InterruptedException {
    try {
      return directory.control.createKey(tenant, name);
    } catch (IllegalArgumentException wrong) {
      throw invalid(wrong);
    } catch (ControlUnavailableException later) {
      throw unavailable(later);
    }
  }

  @Override
  public List<ApiKey> keys(@Nullable String tenant) throws AdministrationException {
    try {
      return directory.control.keys(tenant);
    } catch (ControlUnavailableException later) {
      throw unavailable(later);
    }
  }

  @Override
  public ApiKey revokeKey(String id) throws AdministrationException, InterruptedException {
    ApiKey revoked;
    try {
      revoked = directory.control.revokeKey(id);
    } catch (ControlUnavailableException later) {
      throw unavailable(later);
    }
    if (revoked == null) {
      throw new AdministrationException(
          Reason.NOT_FOUND, "no API key has the id " + id + ": see 'echopost-hub key list'");
    }
    return revoked;
  }

  @Override
  public HubStatus status() {
    ApplyStats apply = directory.apply.stats();
    LogStats log = directory.log.stats();
    String notReady = health == null ? "no hub runs" : health.appendProblem();
    List<String> warnings = new ArrayList<>(directory.settings.warnings());
    if (directory.settings.durability() != Durability.FSYNC) {
      warnings.add(
          "records count as stored before they are on stable storage: --durability "
              + directory.settings.durability().text());
    }
    List<String> problems = HubHealth.warnings(directory, apply);
    if (backups != null) {
      problems.addAll(backups.problems());
      String sameDisk = backups.sameDiskWarning();
      if (sameDisk != null) {
        warnings.add(sameDisk);
      }
    }
    warnings.addAll(problems);
    return new HubStatus(
        version,
        directory.settings.dataDirectory().toString(),
        health == null ? null : ProcessHandle.current().pid(),
        health == null ? null : startedAt,
        Instant.ofEpochMilli(directory.clock.wallMillis()),
        directory.log.epoch().toString(),
        directory.settings.durability().text(),
        notReady == null,
        notReady,
        !problems.isEmpty(),
        directory.log.streams().stream().sorted().map(name -> stream(name, apply)).toList(),
        log.bytes(),
        log.segments(),
        log.damagedSegments(),
        blocker(),
        directory.intake.unappliedRecords(),
        directory.apply.parked().list().stream().map(this::parked).toList(),
        poison(),
        directory.databases.openFiles(),
        directory.control.tenants().size(),
        backups == null ? null : backups.archiveStatus(),
        backups == null ? null : backups.snapshotStatus(),
        backups == null ? null : backups.drillStatus(),
        directory.clockGuard.reason(),
        warnings);
  }

  private Stream stream(String name, ApplyStats apply) {
    List<SegmentInfo> segments = directory.log.segments(name);
    boolean isEvents = name.equals(Intake.STREAM);
    long end = directory.log.stableEnd(name);
    return new Stream(
        name,
        directory.log.start(name),
        end,
        (isEvents ? apply.appliedOffset() : directory.control.appliedOffset()) + 1,
        isEvents ? apply.lagMillis() : 0,
        segments.stream().mapToLong(SegmentInfo::bytes).sum(),
        segments.size());
  }

  private @Nullable Blocker blocker() {
    String reason = directory.segmentRetention.blocker();
    return reason == null
        ? null
        : new Blocker(Intake.STREAM, directory.log.start(Intake.STREAM), reason);
  }

  private Parked parked(ParkedTenants.Parked parked) {
    return new Parked(
        parked.tenant(),
        parked.reason(),
        Instant.ofEpochMilli(parked.since()),
        position(parked.neededFrom()),
        null);
  }

  private List<Poison> poison() {
    List<Poison> all = new ArrayList<>();
    for (ParkedTenants.Parked parked : directory.apply.parked().list()) {
      String position = position(parked.poisonOffset());
      if (parked.poisonOffset() >= 0 && position != null) {
        all.add(new Poison(parked.tenant(), position, parked.reason()));
      }
    }
    directory
        .apply
        .unreadableRecords()
        .forEach((offset, reason) -> {
          String position = position(offset);
          if (position != null) {
            all.add(new Poison("", position, reason));
          }
        });
    return all;
  }

  private @Nullable String position(long offset) {
    if (offset < 0) {
      return null;
    }
    UUID epoch = directory.log.epoch();
    for (SegmentInfo segment : directory.log.segments(Intake.STREAM)) {
      if (segment.firstOffset() <= offset && offset < segment.endOffset()) {
        epoch = segment.epoch();
      }
    }
    return LogEntry.position(epoch, Intake.STREAM, offset);
  }

  @Override
  public boolean acceptClock() throws AdministrationException {
    if (!directory.clockGuard.isPaused()) {
      return false;
    }
    try {
      directory.clockGuard.accept();
      return true;
    } catch (IOException failed) {
      throw new AdministrationException(
          Reason.FAILED, "the step of the clock cannot be accepted: " + failed, failed);
    }
  }

  @Override
  public void skip(String position, String reason)
      throws AdministrationException, InterruptedException {
    Position parsed = Position.parse(position);
    if (parsed == null) {
      throw new AdministrationException(
          Reason.INVALID,
          "a position is <epoch>/<stream>:<offset>, such as 1f0c9a2b/events-0:42, as 'status' names"
              + " it");
    }
    try {
      directory.control.skip(parsed, reason);
    } catch (IllegalArgumentException wrong) {
      throw invalid(wrong);
    } catch (ControlUnavailableException | IOException later) {
      throw unavailable(later);
    }
  }

  @Override
  public long records(String tenant, EventFilter filter, TenantReader.Sink<StoredEvent> sink)
      throws AdministrationException, InterruptedException {
    checkKnown(tenant);
    try {
      return directory.queries.records(tenant, filter, sink);
    } catch (ViewException unreadable) {
      throw unavailable(unreadable);
    }
  }

  @Override
  public boolean awaitSeq(String tenant, long seq, Duration timeout)
      throws AdministrationException, InterruptedException {
    checkKnown(tenant);
    return directory.queries.awaitSeq(tenant, seq, timeout);
  }

  @Override
  public List<SourceState> sources(String tenant, @Nullable String source)
      throws AdministrationException, InterruptedException {
    checkKnown(tenant);
    try {
      return directory.queries.sources(tenant, source);
    } catch (ViewException unreadable) {
      throw unavailable(unreadable);
    }
  }

  private void checkKnown(String tenant) throws AdministrationException {
    if (!directory.databases.exists(tenant) && !directory.control.tenants().contains(tenant)) {
      throw new AdministrationException(
          Reason.NOT_FOUND,
          "there is no tenant " + tenant + ": 'echopost-hub key list' shows the tenants");
    }
  }

  /// Archive, snapshots and drills: those of the running hub, or others that work for one command.
  ///
  /// @throws AdministrationException the object store's address is wrong
  Backups backups() throws AdministrationException {
    return Objects.requireNonNull(backups);
  }

  @Override
  public TenantsCheck verifyTenants(@Nullable String tenant)
      throws AdministrationException, InterruptedException {
    HistoryCheck check = new HistoryCheck(directory.databases);
    long records = 0;
    List<String> faults = new ArrayList<>();
    List<String> names = namesOf(tenant);
    for (String name : names) {
      try {
        directory.databases.check(name);
        HistoryCheck.Result result = check.check(name);
        records += result.records();
        faults.addAll(result.faults());
      } catch (ViewException damaged) {
        faults.add("tenant " + name + ": " + damaged.getMessage());
      }
    }
    return new TenantsCheck(names.size(), records, faults);
  }

  @Override
  public List<TenantHead> tenantHeads(@Nullable String tenant)
      throws AdministrationException, InterruptedException {
    List<TenantHead> heads = new ArrayList<>();
    for (String name : namesOf(tenant)) {
      try {
        ViewState state = directory.databases.read(name, reader -> reader.state());
        long archivedSeq = backups == null ? -1 : backups.knownArchivedSeq(name);
        heads.add(new TenantHead(name, state.firstSeq(), state.seq(), state.chain(), archivedSeq));
      } catch (ViewException unreadable) {
        throw unavailable(unreadable);
      }
    }
    return heads;
  }

  private List<String> namesOf(@Nullable String tenant) throws AdministrationException {
    if (tenant != null) {
      checkKnown(tenant);
      return directory.databases.exists(tenant) ? List.of(tenant) : List.of();
    }
    try {
      return directory.databases.tenants().stream()
          .filter(directory.databases::exists)
          .sorted()
          .toList();
    } catch (ViewException unreadable) {
      throw unavailable(unreadable);
    }
  }

  @Override
  public @Nullable String chainAt(String tenant, long seq)
      throws AdministrationException, InterruptedException {
    if (!directory.databases.exists(tenant)) {
      return null;
    }
    try {
      return new HistoryCheck(directory.databases).chainAt(tenant, seq);
    } catch (ViewException unreadable) {
      throw unavailable(unreadable);
    }
  }

  @Override
  public TakenSnapshot takeSnapshot(String tenant)
      throws AdministrationException, InterruptedException {
    checkKnown(tenant);
    try {
      Snapshot snapshot = backups().takeSnapshot(tenant);
      return new TakenSnapshot(snapshot.id(), snapshot.manifest().seq(), snapshot.bytes());
    } catch (ViewException | IOException | InvalidSnapshotException failed) {
      throw new AdministrationException(
          Reason.FAILED, "no snapshot was taken: " + failed.getMessage(), failed);
    }
  }

  @Override
  public void drill(@Nullable String tenant, int sample, Consumer<DrillResult> results)
      throws AdministrationException, InterruptedException {
    List<String> names = new ArrayList<>();
    if (tenant != null) {
      checkKnown(tenant);
      names.add(tenant);
    } else {
      names.addAll(backups().restorableTenants());
      Collections.shuffle(names);
    }
    int count = sample == 0 ? names.size() : Math.min(sample, names.size());
    for (String name : names.subList(0, count)) {
      try {
        var result = backups().drill(name);
        results.accept(
            new DrillResult(name, result.seq(), result.bytes(), result.millis(), result.fault()));
      } catch (ViewException | IOException failed) {
        throw new AdministrationException(
            Reason.FAILED,
            "the drill of " + name + " cannot go on: " + failed.getMessage(),
            failed);
      }
    }
  }

  @Override
  public LogCheck verifyLog() throws IOException {
    return LogCheckup.of(directory.log.verify());
  }

  private static AdministrationException invalid(IllegalArgumentException wrong) {
    return new AdministrationException(Reason.INVALID, String.valueOf(wrong.getMessage()), wrong);
  }

  private static AdministrationException unavailable(Exception cause) {
    return new AdministrationException(
        Reason.UNAVAILABLE, String.valueOf(cause.getMessage()), cause);
  }
}
