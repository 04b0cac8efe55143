package com.datanadhi.echopost.bench;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A run beside an earlier one, by the medians. Floors tell whether the machine has changed: then a
/// figure's ratio to them says more than the figure does.
record Comparison(Report then, Report now) {
  /// For a person: a line for each figure and floor that both runs have.
  String table() {
    Table table =
        new Table(
            Set.of("figure", "unit"),
            "figure",
            "unit",
            "then",
            "now",
            "now/then",
            "to floor then",
            "to floor now");
    Map<String, Figure> earlier = new HashMap<>();
    then.figures().forEach(figure -> earlier.put(figure.name(), figure));
    for (Figure figure : now.figures()) {
      Figure before = earlier.get(figure.name());
      if (before != null) {
        add(table, before, figure);
      }
    }
    return table + "\nthen: " + then.origin() + "\nnow:  " + now.origin() + "\n";
  }

  private static void add(Table table, Figure before, Figure after) {
    table.add(
        List.of(
            after.what(),
            after.unit(),
            Table.number(before.values().median()),
            Table.number(after.values().median()),
            Table.ratio(after.values().median() / before.values().median())));
    for (Figure.Floor floor : after.floors()) {
      before.floors().stream()
          .filter(same -> same.name().equals(floor.name()))
          .forEach(same ->
              table.add(
                  List.of(
                      "  " + floor.name(),
                      after.unit(),
                      Table.number(same.values().median()),
                      Table.number(floor.values().median()),
                      Table.ratio(floor.values().median() / same.values().median()),
                      Table.ratio(before.ratio(same)),
                      Table.ratio(after.ratio(floor)))));
    }
  }
}
