package com.datanadhi.echopost.bench;

import java.util.ArrayList;
import java.util.List;

/// The values of one quantity, one per round.
final class RoundValues {
  private final List<Double> rounds = new ArrayList<>();

  void add(double value) {
    rounds.add(value);
  }

  List<Double> rounds() {
    return List.copyOf(rounds);
  }

  boolean isPairedWith(RoundValues others) {
    return rounds.size() == others.rounds.size();
  }

  /// The ratios per round.
  RoundValues dividedBy(RoundValues others) {
    RoundValues ratios = new RoundValues();
    for (int round = 0; round < rounds.size(); round++) {
      ratios.add(rounds.get(round) / others.rounds.get(round));
    }
    return ratios;
  }

  double median() {
    List<Double> sorted = rounds.stream().sorted().toList();
    int n = sorted.size();
    return n == 0 ? Double.NaN : (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2;
  }

  double min() {
    return rounds.stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN);
  }

  double max() {
    return rounds.stream().mapToDouble(Double::doubleValue).max().orElse(Double.NaN);
  }
}
