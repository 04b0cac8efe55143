package com.datanadhi.echopost.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// Lines of cells, for a person.
final class Table {
  private final Set<String> texts;
  private final List<List<String>> rows = new ArrayList<>();

  /// @param texts the headings of the columns that are left-aligned; the others hold numbers
  Table(Set<String> texts, String... headings) {
    this.texts = texts;
    rows.add(List.of(headings));
  }

  /// Adds a line; cells that are not given are empty.
  void add(List<String> cells) {
    List<String> row = new ArrayList<>(cells);
    while (row.size() < rows.getFirst().size()) {
      row.add("");
    }
    rows.add(row);
  }

  /// A figure with as many digits as mean something.
  static String number(double value) {
    return String.format(
        Locale.ROOT, value >= 1_000 ? "%,.0f" : value >= 10 ? "%.1f" : "%.3f", value);
  }

  /// A quotient.
  static String ratio(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  @Override
  public String toString() {
    List<String> headings = rows.getFirst();
    int[] widths = new int[headings.size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    StringBuilder table = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String pad = " ".repeat(widths[i] - row.get(i).length());
        line.append(texts.contains(headings.get(i)) ? row.get(i) + pad : pad + row.get(i))
            .append("  ");
      }
      table.append(line.toString().stripTrailing()).append('\n');
    }
    return table.toString();
  }
}
