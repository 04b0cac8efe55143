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
import com.datanadhi.hub.apply.ParkedTenants;
import com.datanadhi.hub.control.ApiKey;
import com.datanadhi.hub.control.ControlUnavailableException;
import com.datanadhi.hub.control.NewApiKey;
import com.datanadhi.hub.control.Position;
import com.datanadhi.hub.intake.Intake;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.LogStats;
import com.datanadhi.hub.log.SegmentInfo;
import com.datanadhi.hub.view.EventFilter;
import com.datanadhi.hub.view.SourceState;
import com.datanadhi.hub.view.StoredEvent;
import com.datanadhi.hub.view.TenantReader;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// What operators can do with an open data directory. Thread-safe.
class HubAdministration implements Administration {
  private final OpenDirectory directory;
  private final @Nullable HubHealth health;
  private final String version;
  private final Instant startedAt;

  /// @param health of the running hub; null if none runs
  HubAdministration(OpenDirectory directory, @Nullable HubHealth health, String version) {
    this.directory = directory;
    this.health = health;
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
