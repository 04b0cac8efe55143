package com.datanadhi.echopost.bench;

/// The amount of work in a run.
///
/// @param rounds the number of rounds; each round measures every program and every floor
/// @param warmUpRecords records sent before the measured ones, not measured
/// @param warmRecords records sent to a warm service
/// @param singleRecords records sent one call at a time
/// @param connections records sent on a new connection each
/// @param replayRecords records in the backlog that is replayed
/// @param batchedRecords records in the backlog that is replayed in batches
/// @param backlogRecords pending records of the large backlog
record RunSize(
    int rounds,
    int warmUpRecords,
    int warmRecords,
    int singleRecords,
    int connections,
    int replayRecords,
    int batchedRecords,
    long backlogRecords) {
  /// How many records right after the spawn are measured on their own, as a client sends that has
  /// just started its agent.
  static final int FIRST_RECORDS = 50_000;

  /// The size of a payload, in bytes.
  static final int RECORD_BYTES = 330;

  /// How many starts are measured; the same for each size, since a start is short.
  static final int STARTS = 10;

  static final RunSize FULL =
      new RunSize(5, 50_000, 100_000, 3_000, 4_000, 50_000, 200_000, 10_000_000);
  static final RunSize QUICK =
      new RunSize(1, 30_000, 50_000, 1_000, 2_000, 10_000, 60_000, 1_000_000);
}
