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
