package com.datanadhi.echopost.control;

import com.datanadhi.echopost.upstream.ServerHealth;

/// The status of a running agent. Immutable.
///
/// @param pid its process id
/// @param startedAt UTC, milliseconds since 1970
/// @param version the version of its program
/// @param server the main server's URL, without user and password
/// @param serverHealth by the last probe or delivery
/// @param serverSince when `serverHealth` was entered, UTC, milliseconds since 1970; the agent's
///   start while it is unknown
/// @param serverReason why the server is DOWN, by the newest probe or delivery; else empty
/// @param storageState whether the buffer takes records
/// @param storageProblem why the storage is blocked or failed, one line for people; empty otherwise
/// @param acceptedPerSecond records accepted, as a mean over the last minute, or since the start
///   when that is less
/// @param deliveredPerSecond records delivered, likewise
public record AgentStatus(
    long pid,
    long startedAt,
    String version,
    String server,
    ServerHealth serverHealth,
    long serverSince,
    String serverReason,
    StorageState storageState,
    String storageProblem,
    double acceptedPerSecond,
    double deliveredPerSecond) {
  /// Whether the buffer takes records. The order is that of the proto's numbers.
  public enum StorageState {
    /// It does.
    OK,
    /// The disk is full: records are refused until there is room.
    FULL,
    /// The storage cannot be used, and the agent is about to end.
    FAILED,
    /// Commits do not succeed now: calls wait, then fail.
    BLOCKED
  }
}
