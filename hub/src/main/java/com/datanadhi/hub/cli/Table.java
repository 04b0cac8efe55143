package com.datanadhi.hub.cli;

import java.util.ArrayList;
import java.util.List;

/// Lines of text in columns, for people.
final class Table {
  private final List<String[]> rows = new ArrayList<>();

  Table(String... heads) {
    rows.add(heads);
  }

  void row(String... cells) {
    String[] readable = new String[cells.length];
    for (int i = 0; i < cells.length; i++) {
      readable[i] = Output.readable(cells[i]);
    }
    rows.add(readable);
  }

  void print(Output out) {
    int[] widths = new int[rows.getFirst().length];
    for (String[] row : rows) {
      for (int i = 0; i < row.length; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < row.length; i++) {
        line.append(row[i]);
        if (i < row.length - 1) {
          line.repeat(' ', widths[i] - row[i].length() + 2);
        }
      }
      out.line(line.toString().stripTrailing());
    }
  }
}
