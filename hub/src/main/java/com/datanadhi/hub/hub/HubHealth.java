package com.datanadhi.hub.hub;

import com.datanadhi.hub.apply.ApplyStats;
import com.datanadhi.hub.health.HealthReport;
import com.datanadhi.hub.health.HealthReport.Status;
import com.datanadhi.hub.http.HealthSource;
import com.datanadhi.hub.log.LogStats;
import com.datanadhi.hub.snapshot.SnapshotLoop;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// How the hub is: unhealthy if it takes no records, degraded if something else needs a person.
/// Anybody can ask, so no path of this machine is in an answer. Thread-safe.
final class HubHealth implements HealthSource {
  private static final long LAGGING_MILLIS = 60_000;

  private final OpenDirectory directory;
  private final AppendGate gate;
  private final Backups backups;

  HubHealth(OpenDirectory directory, AppendGate gate, Backups backups) {
    this.directory = directory;
    this.gate = gate;
    this.backups = backups;
  }

  @Override
  public @Nullable String appendProblem() {
    String problem =
        directory.control.isReady()
            ? gate.problem()
            : Objects.requireNonNullElse(
                directory.control.problem(), "the control stream is being read");
    return problem == null ? null : withoutPath(problem);
  }

  private String withoutPath(String text) {
    return backups
        .withoutAddress(text)
        .replace(directory.settings.dataDirectory().toString(), "DIR");
  }

  @Override
  public HealthReport report() {
    Map<String, String> components = new LinkedHashMap<>();
    List<String> reasons = new ArrayList<>();
    String append = appendProblem();
    components.put("wal", append == null ? "connected" : "unavailable");
    if (append != null) {
      reasons.add(append);
    }
    ApplyStats apply = directory.apply.stats();
    List<String> warnings = warnings(directory, apply);
    components.put(
        "sqlite",
        apply.parkedTenants() == 0
            ? apply.blocked() == null ? "ok" : "blocked"
            : apply.parkedTenants() + " parked");
    List<String> problems = backups.problems();
    if (backups.areUsed()) {
      components.put(backups.component(), problems.isEmpty() ? "ok" : "degraded");
    }
    warnings.addAll(problems);
    warnings.forEach(warning -> reasons.add(withoutPath(warning)));
    Status status =
        append != null ? Status.UNHEALTHY : warnings.isEmpty() ? Status.HEALTHY : Status.DEGRADED;
    SnapshotLoop snapshots = backups.snapshots();
    return new HealthReport(
        status,
        components,
        apply.lagMillis(),
        snapshots == null ? null : snapshots.stats().lastSuccess(),
        reasons);
  }

  /// What needs a person although records are accepted, one sentence each.
  static List<String> warnings(OpenDirectory directory, ApplyStats apply) {
    List<String> warnings = new ArrayList<>();
    if (apply.blocked() != null) {
      warnings.add("applying waits: " + apply.blocked());
    } else if (apply.lagMillis() > LAGGING_MILLIS) {
      warnings.add(
          "applying is " + apply.lagMillis() / 1000 + " s behind the log: see applier_lag_seconds");
    }
    // Without names: anybody can ask for the health.
    if (apply.parkedTenants() > 0) {
      warnings.add(
          "tenants are parked ("
              + apply.parkedTenants()
              + "): 'echopost-hub status' names them and says why");
    }
    if (apply.unreadableRecords() > 0) {
      warnings.add(
          "log records cannot be read ("
              + apply.unreadableRecords()
              + "): 'echopost-hub status' names them and says how to pass over them");
    }
    LogStats log = directory.log.stats();
    if (log.damagedSegments() > 0) {
      warnings.add(
          "log segments are damaged ("
              + log.damagedSegments()
              + "): run 'echopost-hub verify log'");
    }
    String problem = directory.control.problem();
    if (problem != null) {
      warnings.add("the database of _control does not follow: " + problem);
    }
    String clock = directory.clockGuard.reason();
    if (clock != null) {
      warnings.add(
          "the clock is not trusted ("
              + clock
              + "), and nothing is pruned: check it, then run 'echopost-hub status"
              + " --accept-clock'");
    }
    return warnings;
  }
}
