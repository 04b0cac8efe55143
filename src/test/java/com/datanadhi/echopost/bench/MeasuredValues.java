package com.datanadhi.echopost.bench;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// The values of a benchmark so far, by figure and by subject: EchoPost, a peer or a floor.
final class MeasuredValues {
  private final Map<String, Map<String, RoundValues>> valuesByFigure = new HashMap<>();

  /// Adds the value of one round.
  void add(String figure, String subject, double value) {
    valuesByFigure
        .computeIfAbsent(figure, _ -> new LinkedHashMap<>())
        .computeIfAbsent(subject, _ -> new RoundValues())
        .add(value);
  }

  /// A figure with EchoPost's values; those of all other subjects are its floors.
  Figure figure(String name, String label, String unit) {
    Map<String, RoundValues> floors =
        new LinkedHashMap<>(valuesByFigure.getOrDefault(name, Map.of()));
    RoundValues echoPost = floors.remove(MeasuredProgram.ECHOPOST);
    if (echoPost == null) {
      throw new IllegalStateException(name + " was not measured");
    }
    return new Figure(
        name,
        label,
        unit,
        echoPost,
        floors.entrySet().stream()
            .map(floor -> new Figure.Floor(floor.getKey(), floor.getValue()))
            .toList());
  }
}
