package com.datanadhi.echopost.bench;

/// How much work a run does.
///
/// @param rounds in which figure and floor alternate
/// @param warmUpRecords sent after the first ones and before the measured ones
/// @param warmRecords sent to a warm service, measured
/// @param singleRecords sent one at a time, measured
/// @param connections one record on each, measured
/// @param replayRecords replayed, all of them
/// @param backlogRecords pending in a buffer that is large
record Effort(
    int rounds,
    int warmUpRecords,
    int warmRecords,
    int singleRecords,
    int connections,
    int replayRecords,
    long backlogRecords) {
  /// The records right after the spawn: what a client finds that has just started its agent.
  static final int FIRST_RECORDS = 50_000;

  /// The bytes of a payload.
  static final int RECORD_BYTES = 330;

  /// Spawns timed, however much else a run does: they are quick.
  static final int STARTS = 10;

  static final Effort FULL = new Effort(5, 50_000, 100_000, 3_000, 4_000, 50_000, 10_000_000);
  static final Effort QUICK = new Effort(1, 30_000, 50_000, 1_000, 2_000, 10_000, 1_000_000);
}
