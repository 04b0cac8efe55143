package com.datanadhi.echopost.bench;

import java.util.List;

/// Measures one kind of work in rounds.
interface Benchmark {
  /// The name in the progress output.
  String name();

  /// Measures each program and each floor once.
  ///
  /// @throws Exception if a program cannot be run or fails its work
  void round() throws Exception;

  /// The figures of the rounds so far.
  List<Figure> figures();

  /// The charts of the last round.
  default List<Chart> charts() {
    return List.of();
  }
}
