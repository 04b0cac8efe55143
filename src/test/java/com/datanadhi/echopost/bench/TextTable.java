package com.datanadhi.echopost.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// A table of plain text with aligned columns.
final class TextTable {
  private final Set<String> leftAligned;
  private final List<List<String>> rows = new ArrayList<>();

  /// @param leftAligned the headings of the columns with text; the others hold numbers
  TextTable(Set<String> leftAligned, String... headings) {
    this.leftAligned = leftAligned;
    rows.add(List.of(headings));
  }

  /// Adds a row; missing cells are empty.
  void add(List<String> cells) {
    List<String> row = new ArrayList<>(cells);
    while (row.size() < rows.getFirst().size()) {
      row.add("");
    }
    rows.add(row);
  }

  /// Formats a value with about three significant digits.
  static String number(double value) {
    return String.format(
        Locale.ROOT, value >= 1_000 ? "%,.0f" : value >= 10 ? "%.1f" : "%.3f", value);
  }

  /// Formats a ratio.
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
        line.append(leftAligned.contains(headings.get(i)) ? row.get(i) + pad : pad + row.get(i))
            .append("  ");
      }
      table.append(line.toString().stripTrailing()).append('\n');
    }
    return table.toString();
  }
}
