package com.datanadhi.echopost.bench;

import java.io.StringWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// What a run has found.
///
/// @param version of EchoPost
/// @param complaints what agents logged or printed that was not information
record Report(
    Instant date,
    String version,
    Machine machine,
    Effort effort,
    List<Figure> figures,
    List<String> complaints) {
  private static final List<String> HEADINGS =
      List.of("figure", "unit", "median", "min - max", "floor", "median", "min - max", "ratio");

  /// Left-aligned columns; the others hold numbers.
  private static final List<Integer> TEXTS = List.of(0, 1, 4);

  /// For a person: a line for each figure and floor.
  String table() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(HEADINGS);
    for (Figure figure : figures) {
      List<String> cells = new ArrayList<>(List.of(figure.what(), figure.unit()));
      addValues(cells, figure.values());
      if (figure.floors().isEmpty()) {
        cells.addAll(List.of("", "", "", ""));
        rows.add(cells);
      }
      for (Figure.Floor floor : figure.floors()) {
        cells.add(floor.name());
        addValues(cells, floor.values());
        cells.add(String.format(Locale.ROOT, "%.2f", figure.ratio(floor)));
        rows.add(cells);
        cells = new ArrayList<>(List.of("", "", "", ""));
      }
    }
    return align(rows)
        + String.format(
            Locale.ROOT,
            "%nEchoPost %s, %s, %d cores, %s %s, %s, %s; rounds: %d%n",
            version,
            date,
            machine.cores(),
            machine.kernel(),
            machine.architecture(),
            machine.jdk(),
            machine.fileSystem(),
            effort.rounds());
  }

  private static void addValues(List<String> cells, Series values) {
    cells.add(number(values.median()));
    cells.add(number(values.min()) + " - " + number(values.max()));
  }

  private static String number(double value) {
    return String.format(
        Locale.ROOT, value >= 1_000 ? "%,.0f" : value >= 10 ? "%.1f" : "%.3f", value);
  }

  private static String align(List<List<String>> rows) {
    int[] widths = new int[HEADINGS.size()];
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
        line.append(TEXTS.contains(i) ? row.get(i) + pad : pad + row.get(i)).append("  ");
      }
      table.append(line.toString().stripTrailing()).append('\n');
    }
    return table.toString();
  }

  /// For a program: one object, in one line.
  String json() {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      json.writeStringProperty("date", date.toString());
      json.writeStringProperty("version", version);
      json.writeNumberProperty("rounds", effort.rounds());
      json.writeName("machine").writeStartObject();
      json.writeNumberProperty("cores", machine.cores());
      json.writeStringProperty("kernel", machine.kernel());
      json.writeStringProperty("architecture", machine.architecture());
      json.writeStringProperty("jdk", machine.jdk());
      json.writeStringProperty("file_system", machine.fileSystem());
      json.writeEndObject();
      json.writeName("figures").writeStartArray();
      for (Figure figure : figures) {
        json.writeStartObject();
        json.writeStringProperty("name", figure.name());
        json.writeStringProperty("what", figure.what());
        json.writeStringProperty("unit", figure.unit());
        write(json, figure.values());
        json.writeName("floors").writeStartArray();
        for (Figure.Floor floor : figure.floors()) {
          json.writeStartObject();
          json.writeStringProperty("name", floor.name());
          write(json, floor.values());
          json.writeNumberProperty("ratio", figure.ratio(floor));
          json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeName("complaints").writeStartArray();
      for (String complaint : complaints) {
        json.writeString(complaint);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    return text.toString();
  }

  private static void write(JsonGenerator json, Series values) {
    json.writeNumberProperty("median", values.median());
    json.writeNumberProperty("min", values.min());
    json.writeNumberProperty("max", values.max());
    json.writeName("values").writeStartArray();
    for (double value : values.rounds()) {
      json.writeNumber(value);
    }
    json.writeEndArray();
  }
}
