package com.datanadhi.hub.admin;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The state of a hub at one moment. Its JSON form ([StatusJson]) has the same members in
/// snake_case; members are only added.
///
/// @param version of the program
/// @param dataDirectory absolute path of DIR
/// @param pid of the running hub; null when a command reads DIR without one
/// @param startedAt of the running hub, null without one
/// @param now the hub's clock
/// @param epoch of the log
/// @param durability in force: `fsync`, `wal` or `ram`
/// @param ready whether appends are accepted now
/// @param notReady why not, one line; null while they are
/// @param degraded whether something needs a person although records are accepted
/// @param streams of the log, in order
/// @param logBytes of all segments
/// @param logSegments of all streams
/// @param damagedSegments of which a part cannot be read
/// @param blocker what keeps the oldest segment that could leave; null if nothing does
/// @param unappliedRecords in all tenants
/// @param parked tenants that are not applied now
/// @param poison log records that cannot be applied, by tenant
/// @param openDatabases files of SQLite
/// @param tenants that are known
/// @param archive how the archive stands; null with `--archive off`, or without a hub
/// @param snapshots how the snapshots stand; null with `--snapshots off`, or without a hub
/// @param drill how the drills stand; null without a hub
/// @param clockStepped how the wall clock stepped; null unless that waits to be accepted
/// @param warnings one sentence each
public record HubStatus(
    String version,
    String dataDirectory,
    @Nullable Long pid,
    @Nullable Instant startedAt,
    Instant now,
    String epoch,
    String durability,
    boolean ready,
    @Nullable String notReady,
    boolean degraded,
    List<Stream> streams,
    long logBytes,
    int logSegments,
    int damagedSegments,
    @Nullable Blocker blocker,
    long unappliedRecords,
    List<Parked> parked,
    List<Poison> poison,
    int openDatabases,
    int tenants,
    @Nullable Archive archive,
    @Nullable Snapshots snapshots,
    @Nullable Drill drill,
    @Nullable String clockStepped,
    List<String> warnings) {

  public HubStatus {
    streams = List.copyOf(streams);
    parked = List.copyOf(parked);
    poison = List.copyOf(poison);
    warnings = List.copyOf(warnings);
  }

  /// A stream of the log.
  ///
  /// @param start the first offset that is there
  /// @param stableEnd the offset after the last record on stable storage
  /// @param applied the offset after the last record that every tenant which is not parked has
  ///   applied
  /// @param lagMillis age of the oldest record that is not applied; 0 if all are
  public record Stream(
      String name,
      long start,
      long stableEnd,
      long applied,
      long lagMillis,
      long bytes,
      int segments) {
    /// How many log records wait to be applied.
    @JsonProperty("waiting")
    public long waiting() {
      return Math.max(0, stableEnd - applied);
    }
  }

  /// How the archive stands.
  ///
  /// @param objects the address of the object store
  /// @param lagRecords applied records that are not known to be archived
  /// @param lastSuccess when a segment was archived last in this run; null if none was
  /// @param lastError the last failure; null if there was none in this run
  /// @param stopped tenants whose archive does not go on, with the reason
  public record Archive(
      String objects,
      long lagRecords,
      @Nullable Instant lastSuccess,
      @Nullable String lastError,
      List<TenantProblem> stopped) {
    public Archive {
      stopped = List.copyOf(stopped);
    }
  }

  /// How the snapshots stand.
  ///
  /// @param newest when the newest was begun; null if there is none
  /// @param oldestAgeHours of the tenant for which it is longest
  /// @param failing tenants whose last try failed
  /// @param lastError of the last of those; null if there is none
  public record Snapshots(
      @Nullable Instant newest, double oldestAgeHours, int failing, @Nullable String lastError) {}

  /// How the drills stand.
  ///
  /// @param lastSuccess when one succeeded last, also in an earlier run; null if none did
  /// @param faults tenants that could not be restored, with what was wrong
  public record Drill(@Nullable Instant lastSuccess, List<TenantProblem> faults) {
    public Drill {
      faults = List.copyOf(faults);
    }
  }

  /// What is wrong with a tenant.
  public record TenantProblem(String tenant, String reason) {}

  /// What keeps a segment from being deleted.
  ///
  /// @param firstOffset of the segment
  public record Blocker(String stream, long firstOffset, String reason) {}

  /// A tenant that is not applied now; its records are accepted.
  ///
  /// @param position of the log record at which it stands; null if that is not known
  /// @param nextTryAt of its rebuild; null if none is planned
  public record Parked(
      String tenant,
      String reason,
      Instant since,
      @Nullable String position,
      @Nullable Instant nextTryAt) {}

  /// A log record that failed three times at the same offset.
  public record Poison(String tenant, String position, String reason) {}
}
