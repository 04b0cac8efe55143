package com.datanadhi.hub.hub;

import com.datanadhi.hub.apply.ApplyStats;
import com.datanadhi.hub.archive.ArchiveStats;
import com.datanadhi.hub.archive.Archiver;
import com.datanadhi.hub.control.ControlStore;
import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.intake.Intake;
import com.datanadhi.hub.intake.IntakeCounts;
import com.datanadhi.hub.log.LogStats;
import com.datanadhi.hub.metrics.HubMetrics;
import com.datanadhi.hub.metrics.JvmMetrics;
import com.datanadhi.hub.snapshot.SnapshotLoop;
import com.datanadhi.hub.snapshot.SnapshotStats;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Which values of the hub are metrics.
final class MetricsOfHub {
  private final OpenDirectory directory;
  private final AppendGate gate;
  private final Admission admission;
  private final Backups backups;
  private final HubMetrics metrics;
  private final Supplier<IntakeCounts> intake;
  private final Supplier<LogStats> log;
  private final Supplier<ApplyStats> apply;

  MetricsOfHub(
      OpenDirectory directory,
      AppendGate gate,
      Admission admission,
      Backups backups,
      HubMetrics metrics) {
    this.directory = directory;
    this.gate = gate;
    this.admission = admission;
    this.backups = backups;
    this.metrics = metrics;
    this.intake = metrics.once(directory.intake::counts);
    this.log = metrics.once(directory.log::stats);
    this.apply = metrics.once(directory.apply::stats);
  }

  void register() {
    registerIntake();
    registerLog();
    registerApply();
    registerArchive();
    registerSnapshots();
    JvmMetrics.register(metrics);
  }

  private void registerIntake() {
    count("hub_received_transactions", "Transactions that the doors handed over.", this::received);
    count("hub_appended_transactions", "Stored for the first time.", IntakeCounts::appended);
    count("hub_duplicate_transactions", "Stored before.", IntakeCounts::duplicates);
    count(
        "hub_conflict_transactions",
        "Their key is known with another payload.",
        IntakeCounts::conflicts);
    count(
        "hub_unknown_transactions",
        "Not known to be stored, because the log failed.",
        IntakeCounts::unknown);
    metrics.counters("hub_refused_transactions", "Not stored, by reason.", "reason", this::refused);
    metrics.gauge("hub_buffer_held_bytes", "Requests and records in memory.", admission::heldBytes);
    metrics.counter(
        "hub_buffer_refused_requests",
        "Requests, or parts of them, that did not fit the memory for requests.",
        admission::refusals);
    metrics.gauge(
        "hub_unapplied_records",
        "Records in the log that no database has yet.",
        directory.intake::unappliedRecords);
    metrics.counter(
        "hub_failed_key_lookups",
        "Calls for which a tenant's database could not be read.",
        directory.intake::failedLookups);
  }

  private void registerLog() {
    metrics.gauge("hub_log_bytes", "All segments of all streams.", () -> log.get().bytes());
    metrics.gauge("hub_log_segments", "Segments of all streams.", () -> log.get().segments());
    metrics.gauge(
        "hub_log_damaged_segments",
        "Segments of which a part cannot be read.",
        () -> log.get().damagedSegments());
    metrics.gauge(
        "hub_log_waiting_bytes", "Accepted and not yet written.", () -> log.get().waitingBytes());
    metrics.counter("hub_log_records", "Log records.", () -> log.get().appendedRecords());
    metrics.counter(
        "hub_log_record_bytes", "Bytes of the log records.", () -> log.get().appendedBytes());
    metrics.counter("hub_log_commits", "Writes of the log.", () -> log.get().commits());
    metrics.counter(
        "hub_log_refused_appends",
        "Appends that the log refused.",
        () -> log.get().refusedAppends());
    metrics.gauge(
        "hub_log_retained_bytes",
        "Sealed segments that something still needs.",
        () -> directory.segmentRetention.retained().unprovenBytes());
    metrics.gauges(
        "hub_log_end_offset",
        "The offset after the last durable record.",
        "stream",
        () -> byStream(stream -> (double) directory.log.stableEnd(stream)));
  }

  private void registerApply() {
    metrics.gauge(
        "applier_lag_seconds",
        "Age of the oldest durable record that is not applied.",
        () -> apply.get().lagMillis() / 1e3);
    metrics.gauges(
        "hub_applied_offset",
        "The last applied offset.",
        "stream",
        () -> byStream(stream -> (double) appliedOffset(stream)));
    apply("hub_apply_lag_records", "Log records that wait.", ApplyStats::lagRecords);
    apply("hub_parked_tenants", "Tenants that are not applied now.", ApplyStats::parkedTenants);
    apply(
        "hub_held_back_records",
        "Log records that were passed over for parked tenants.",
        ApplyStats::heldBackRecords);
    apply("hub_lost_records", "Log records that nothing can replace.", ApplyStats::lostRecords);
    metrics.counter(
        "hub_applied_records",
        "Rows written to the tenants' tables of events.",
        () -> apply.get().appliedEvents());
    metrics.gauge(
        "hub_conservation_difference",
        "Transactions and log records that are not accounted for: 0.",
        () -> intake.get().difference() + apply.get().unaccounted());
    metrics.gauge(
        "hub_open_database_files", "Open files of SQLite.", directory.databases::openFiles);
    metrics.gauge(
        "hub_clock_stepped",
        "1 while a step of the clock waits to be accepted.",
        () -> directory.clockGuard.isPaused() ? 1 : 0);
  }

  private void registerArchive() {
    Archiver archiver = backups.archiver();
    if (archiver == null) {
      return;
    }
    Supplier<ArchiveStats> stats = metrics.once(archiver::stats);
    metrics.gauge(
        "archive_lag_events",
        "Applied records that are not known to be archived.",
        () -> stats.get().lagEvents());
    metrics.counter("hub_archived_records", "Records archived.", () -> stats.get().events());
    metrics.counter("hub_archived_segments", "Segments archived.", () -> stats.get().segments());
    metrics.counter(
        "hub_archived_bytes", "Bytes of the archived segments.", () -> stats.get().bytes());
    metrics.counter(
        "hub_archive_failures",
        "Failures of the object store, or of the scratch directory, while archiving.",
        () -> stats.get().failures());
    metrics.gauge(
        "hub_archive_last_success_timestamp_seconds",
        "When a segment was archived last.",
        () -> seconds(stats.get().lastSuccess()));
    metrics.gauge(
        "hub_archive_stopped_tenants",
        "Tenants whose archive does not go on until a person has looked at it.",
        () -> stats.get().alarms().size() + stats.get().waiting().size());
  }

  private void registerSnapshots() {
    SnapshotLoop snapshots = backups.snapshots();
    if (snapshots != null) {
      Supplier<SnapshotStats> stats = metrics.once(snapshots::stats);
      metrics.gauge(
          "snapshot_age_hours",
          "Of the tenant for which it is longest: since a snapshot had all of its records.",
          () -> stats.get().oldestAgeHours());
      metrics.counter("hub_snapshots", "Snapshots taken.", () -> stats.get().taken());
      metrics.counter(
          "hub_snapshot_failures", "Snapshots that failed.", () -> stats.get().failures());
      metrics.gauge(
          "hub_snapshot_last_success_timestamp_seconds",
          "When the newest snapshot was begun.",
          () -> {
            Instant last = stats.get().lastSuccess();
            return last == null ? 0 : last.getEpochSecond();
          });
    }
    metrics.gauge(
        "hub_drill_last_success_timestamp_seconds",
        "When a drill succeeded last.",
        () -> backups.drills().lastSuccessMillis() / 1e3);
    metrics.gauge(
        "hub_drill_faulty_tenants",
        "Tenants that could not be restored in their last drill.",
        () -> backups.drills().faults().size());
    metrics.gauge(
        "hub_proven_seq",
        "The sum of the seqs up to which drills of this run have restored tenants.",
        () -> backups.drills().provenSeqs());
    metrics.gauge(
        "hub_object_store_usable",
        "1 if the object store answered as it must when it was asked last.",
        () -> backups.isUsable() ? 1 : 0);
  }

  private static double seconds(@Nullable Long millis) {
    return millis == null ? 0 : millis / 1e3;
  }

  private void count(String name, String help, ToDoubleFunction<IntakeCounts> value) {
    metrics.counter(name, help, () -> value.applyAsDouble(intake.get()));
  }

  private void apply(String name, String help, ToDoubleFunction<ApplyStats> value) {
    metrics.gauges(
        name, help, "stream", () -> Map.of(Intake.STREAM, value.applyAsDouble(apply.get())));
  }

  private long appliedOffset(String stream) {
    return stream.equals(Intake.STREAM)
        ? apply.get().appliedOffset()
        : directory.control.appliedOffset();
  }

  private double received(IntakeCounts counts) {
    return counts.received() + gate.refused().values().stream().mapToLong(Long::longValue).sum();
  }

  private Map<String, Double> refused() {
    Map<String, Double> all = new HashMap<>();
    intake.get().refused().forEach((reason, n) -> all.merge(reason, (double) n, Double::sum));
    gate.refused().forEach((reason, n) -> all.merge(reason, (double) n, Double::sum));
    return all;
  }

  private Map<String, Double> byStream(Function<String, Double> value) {
    // Also those that have no record yet: a series is there from the start.
    return Stream.of(ControlStore.STREAM, Intake.STREAM)
        .collect(Collectors.toMap(Function.identity(), value));
  }
}
