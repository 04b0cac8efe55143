package com.datanadhi.hub.http;

import java.time.Duration;

/// The bounds of the HTTP door.
///
/// @param maxConnections open at once; beyond it the connection that has been of the least use is
///   closed
/// @param headTimeout from the first byte of a request to the end of its head
/// @param bodyProgress the longest pause within a body
/// @param bodyTotal from the head to the end of the body. It bounds senders that drip single bytes;
///   it is long for the largest body on a slow line (9 MiB at 150 KiB/s)
/// @param idle how long a connection without a request stays open
/// @param heartbeat how often a reader that follows gets an empty line while nothing comes, so that
///   either end notices when the other is gone
/// @param maxReaders streams of records at once; one tenant has at most half of them
/// @param stopGrace how long `close` waits for requests in progress
/// @param tlsCheck how often the TLS files are looked at
public record DoorSettings(
    int maxConnections,
    Duration headTimeout,
    Duration bodyProgress,
    Duration bodyTotal,
    Duration idle,
    Duration heartbeat,
    int maxReaders,
    Duration stopGrace,
    Duration tlsCheck) {
  public DoorSettings {
    if (maxConnections < 1 || maxReaders < 1) {
      throw new IllegalArgumentException("maxConnections and maxReaders must be at least 1");
    }
  }

  /// What the contract says, and otherwise suits one machine.
  ///
  /// @param maxConnections that the process has descriptors for
  public static DoorSettings standard(int maxConnections) {
    return new DoorSettings(
        maxConnections,
        Duration.ofSeconds(10),
        Duration.ofSeconds(10),
        Duration.ofSeconds(60),
        Duration.ofSeconds(60),
        Duration.ofSeconds(15),
        256,
        Duration.ofSeconds(7),
        Duration.ofSeconds(5));
  }
}
