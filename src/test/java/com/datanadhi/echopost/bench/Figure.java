package com.datanadhi.echopost.bench;

import java.util.List;

/// A quantity of EchoPost beside its floors, which have the same unit.
///
/// @param name in snake case, the same in every version, so that runs can be compared
/// @param what it is, for a person
record Figure(String name, String what, String unit, Series values, List<Floor> floors) {
  /// What the same quantity is without EchoPost.
  record Floor(String name, Series values) {}

  /// Figure over floor, of the medians.
  double ratio(Floor floor) {
    return values.median() / floor.values().median();
  }
}
