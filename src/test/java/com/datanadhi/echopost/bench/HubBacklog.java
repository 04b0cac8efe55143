package com.datanadhi.echopost.bench;

import org.jspecify.annotations.Nullable;

/// A hub with many applied records that are in no archive. It is made when it is needed first, and
/// kept for all rounds.
final class HubBacklog {
  private static final int LINES = 1_000;
  private static final int CONNECTIONS = 2;

  private final HubBed bed;
  private final HubSize size;
  private @Nullable RunningHub stopped;

  HubBacklog(HubBed bed, HubSize size) {
    this.bed = bed;
    this.size = size;
  }

  /// The hub, which does not run.
  RunningHub stopped() throws Exception {
    RunningHub known = stopped;
    if (known != null) {
      return known;
    }
    RunningHub hub = bed.startHub(RunningHub.WITHOUT_BACKUPS);
    try (LoadLoop load = hub.load(HubRequests.differentLines(hub.apiKey(), LINES, CONNECTIONS))) {
      var _ = load.run(size.backlog() / LINES);
    }
    hub.awaitApplied();
    bed.end(hub);
    stopped = hub;
    return hub;
  }
}
