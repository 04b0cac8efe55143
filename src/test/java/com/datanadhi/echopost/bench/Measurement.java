package com.datanadhi.echopost.bench;

import java.util.List;

/// One kind of work, measured in rounds.
interface Measurement {
  /// What it is called in the progress.
  String name();

  /// Measures each program once and each floor once, and remembers the values.
  ///
  /// @throws Exception when something could not be run, or what ran did not do its work
  void round() throws Exception;

  /// What the rounds so far gave.
  List<Figure> figures();

  /// What the last round looked like.
  default List<Picture> pictures() {
    return List.of();
  }
}
