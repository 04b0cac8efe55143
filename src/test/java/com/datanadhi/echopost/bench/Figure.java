package com.datanadhi.echopost.bench;

import java.util.List;

/// A quantity of EchoPost beside its floors, which have the same unit.
///
/// @param name in snake case, the same in every version, so that runs can be compared
/// @param what it is, for a person
record Figure(String name, String what, String unit, Series values, List<Floor> floors) {
  /// What the same quantity is without EchoPost.
  record Floor(String name, Series values) {}

  /// Figure over floor: the median of the rounds' own ratios, since a machine whose speed changes
  /// from minute to minute changes both. Of the medians where one had other rounds than the other.
  double ratio(Floor floor) {
    return values.isPairedWith(floor.values())
        ? values.dividedBy(floor.values()).median()
        : values.median() / floor.values().median();
  }
}
