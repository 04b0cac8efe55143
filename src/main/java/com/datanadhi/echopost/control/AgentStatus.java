package com.datanadhi.echopost.control;

import com.datanadhi.echopost.upstream.ServerHealth;

/// What a living agent says of itself. Immutable.
///
/// @param pid its process
/// @param startedAt UTC, milliseconds since 1970
/// @param version its program's
/// @param server the main server's URL, without user and password
/// @param serverHealth by the last probe or delivery
/// @param serverSince since when, UTC, milliseconds since 1970; the agent's start while nothing is
///   known
/// @param storageState whether it can take records
/// @param acceptedPerSecond records taken, as a mean over the last minute, or since the start when
///   that is less
/// @param deliveredPerSecond records that the server took, likewise
public record AgentStatus(
    long pid,
    long startedAt,
    String version,
    String server,
    ServerHealth serverHealth,
    long serverSince,
    StorageState storageState,
    double acceptedPerSecond,
    double deliveredPerSecond) {
  /// How the storage is. In the order of the proto's numbers.
  public enum StorageState {
    /// Records are taken.
    OK,
    /// The disk is full: they are refused, until there is room.
    FULL,
    /// It cannot be used: the agent is about to end.
    FAILED
  }
}
