package com.datanadhi.echopost.bench;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Compares a run with an earlier one, by medians. If the floors differ, the machine's speed has
/// changed: then compare the ratios of figure to floor instead of the figures.
record Comparison(BenchResults earlier, BenchResults now) {
  /// A table for people: a row for each figure and floor that both runs have.
  String table() {
    TextTable table =
        new TextTable(
            Set.of("figure", "unit"),
            "figure",
            "unit",
            "earlier",
            "now",
            "now/earlier",
            "ratio earlier",
            "ratio now");
    Map<String, Figure> earlierFigures = new HashMap<>();
    earlier.figures().forEach(figure -> earlierFigures.put(figure.name(), figure));
    for (Figure figure : now.figures()) {
      Figure before = earlierFigures.get(figure.name());
      if (before != null) {
        add(table, before, figure);
      }
    }
    return table + "\nearlier: " + earlier.origin() + "\nnow:     " + now.origin() + "\n";
  }

  private static void add(TextTable table, Figure before, Figure after) {
    table.add(
        List.of(
            after.label(),
            after.unit(),
            TextTable.number(before.values().median()),
            TextTable.number(after.values().median()),
            TextTable.ratio(after.values().median() / before.values().median())));
    for (Figure.Floor floor : after.floors()) {
      before.floors().stream()
          .filter(same -> same.name().equals(floor.name()))
          .forEach(same ->
              table.add(
                  List.of(
                      "  " + floor.name(),
                      after.unit(),
                      TextTable.number(same.values().median()),
                      TextTable.number(floor.values().median()),
                      TextTable.ratio(floor.values().median() / same.values().median()),
                      TextTable.ratio(before.ratio(same)),
                      TextTable.ratio(after.ratio(floor)))));
    }
  }
}
