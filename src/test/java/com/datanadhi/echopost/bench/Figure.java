package com.datanadhi.echopost.bench;

import java.util.List;

/// A measured quantity of EchoPost, and its floors in the same unit.
///
/// @param name in snake case; the same in every version, so that runs can be compared
/// @param label the quantity, for people
record Figure(String name, String label, String unit, RoundValues values, List<Floor> floors) {
  /// The same quantity measured without EchoPost.
  record Floor(String name, RoundValues values) {}

  /// The ratio of figure to floor: the median of the ratios per round, because a change of the
  /// machine's speed affects both values of a round. If they were measured in different rounds, the
  /// ratio of the medians.
  double ratio(Floor floor) {
    return values.isPairedWith(floor.values())
        ? values.dividedBy(floor.values()).median()
        : values.median() / floor.values().median();
  }
}
