package com.datanadhi.echopost.bench;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// What a measurement has found so far, by figure and by whose it is.
final class Values {
  private final Map<String, Map<String, Series>> figures = new HashMap<>();

  /// Remembers one round's value of a figure.
  void add(String figure, String whose, double value) {
    figures
        .computeIfAbsent(figure, _ -> new LinkedHashMap<>())
        .computeIfAbsent(whose, _ -> new Series())
        .add(value);
  }

  /// EchoPost's values, beside those of everybody else as its floors.
  Figure figure(String name, String what, String unit) {
    Map<String, Series> floors = new LinkedHashMap<>(figures.getOrDefault(name, Map.of()));
    Series ours = floors.remove(Program.ECHOPOST);
    if (ours == null) {
      throw new IllegalStateException(name + " was not measured");
    }
    return new Figure(
        name,
        what,
        unit,
        ours,
        floors.entrySet().stream()
            .map(floor -> new Figure.Floor(floor.getKey(), floor.getValue()))
            .toList());
  }
}
