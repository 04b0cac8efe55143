package com.datanadhi.hub.admin;

import com.datanadhi.hub.log.Durability;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What `serve` was told by its flags, valid and complete.
///
/// @param dataDirectory DIR, absolute
/// @param listen where HTTP is served
/// @param grpcListen where gRPC is served, or null if it is not
/// @param segmentBytes size at which a segment is sealed
/// @param segmentAge age at which a segment is sealed
/// @param logRetention how long a proven segment stays after it was proven
/// @param logRetentionBytes bound of the proven segments; null if there is none
/// @param bufferBytes bound of requests and records in memory
/// @param keyHorizon how long any key is known
/// @param viewRetention age at which records leave SQLite; null if they stay
/// @param objects the object store, and what goes there
/// @param tlsCertificate PEM file; null without TLS
/// @param tlsKey PEM file; null without TLS
/// @param warnings to log at start, one sentence each
public record HubSettings(
    Path dataDirectory,
    Address listen,
    @Nullable Address grpcListen,
    Durability durability,
    long segmentBytes,
    Duration segmentAge,
    Duration logRetention,
    @Nullable Long logRetentionBytes,
    long bufferBytes,
    Duration keyHorizon,
    @Nullable Duration viewRetention,
    Objects objects,
    @Nullable Path tlsCertificate,
    @Nullable Path tlsKey,
    List<String> warnings) {

  public HubSettings {
    warnings = List.copyOf(warnings);
  }

  /// The object store, and what goes there.
  ///
  /// @param url `file:PATH` or `s3://BUCKET/PREFIX`
  /// @param archive whether records are archived, and log segments stay until theirs are
  /// @param archiveInterval how old a record becomes before it is archived
  /// @param archiveRetention how long an archived record stays
  /// @param snapshots whether snapshots are taken
  /// @param snapshotInterval between two snapshots of a tenant
  /// @param snapshotKeep how many snapshots of a tenant stay
  /// @param drillInterval between two drills
  public record Objects(
      String url,
      boolean archive,
      Duration archiveInterval,
      Duration archiveRetention,
      boolean snapshots,
      Duration snapshotInterval,
      int snapshotKeep,
      Duration drillInterval) {
    /// Whether anything goes there.
    public boolean areUsed() {
      return archive || snapshots;
    }
  }

  /// A host and a port.
  ///
  /// @param host a name or an IP address, IPv6 without brackets
  /// @param port 0 for any free one
  public record Address(String host, int port) {
    @Override
    public String toString() {
      return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
  }
}
