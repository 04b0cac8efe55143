package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The results of a run.
///
/// @param version of EchoPost
/// @param rounds the number of rounds
/// @param warnings lines that agents logged or printed and that are not at level INFO
record BenchResults(
    Instant date,
    String version,
    Machine machine,
    int rounds,
    List<Figure> figures,
    List<String> warnings) {
  /// A table for people: a row for each figure and floor.
  String table() {
    TextTable table =
        new TextTable(
            Set.of("figure", "unit", "floor"),
            "figure",
            "unit",
            "median",
            "min - max",
            "floor",
            "floor median",
            "floor min - max",
            "ratio");
    for (Figure figure : figures) {
      List<String> cells = new ArrayList<>(List.of(figure.label(), figure.unit()));
      addValues(cells, figure.values());
      if (figure.floors().isEmpty()) {
        table.add(cells);
      }
      for (Figure.Floor floor : figure.floors()) {
        cells.add(floor.name());
        addValues(cells, floor.values());
        cells.add(TextTable.ratio(figure.ratio(floor)));
        table.add(cells);
        cells = new ArrayList<>(List.of("", "", "", ""));
      }
    }
    return table + "\n" + origin() + "\n";
  }

  private static void addValues(List<String> cells, RoundValues values) {
    cells.add(TextTable.number(values.median()));
    cells.add(TextTable.number(values.min()) + " - " + TextTable.number(values.max()));
  }

  /// Version, date and machine, in one line.
  String origin() {
    return String.format(
        Locale.ROOT,
        "EchoPost %s, %s, %d cores, %s %s, %s, %s; rounds: %d",
        version,
        date,
        machine.cores(),
        machine.kernel(),
        machine.architecture(),
        machine.jdk(),
        machine.fileSystem(),
        rounds);
  }

  /// One JSON object, in one line.
  String json() {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      json.writeStringProperty("date", date.toString());
      json.writeStringProperty("version", version);
      json.writeNumberProperty("rounds", rounds);
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
        json.writeStringProperty("what", figure.label());
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
      for (String warning : warnings) {
        json.writeString(warning);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    return text.toString();
  }

  private static void write(JsonGenerator json, RoundValues values) {
    json.writeNumberProperty("median", values.median());
    json.writeNumberProperty("min", values.min());
    json.writeNumberProperty("max", values.max());
    json.writeName("values").writeStartArray();
    for (double value : values.rounds()) {
      json.writeNumber(value);
    }
    json.writeEndArray();
  }

  /// Reads the object that [#json] returned.
  ///
  /// @throws IOException if the file cannot be read, or does not hold results
  static BenchResults read(Path file) throws IOException {
    if (!Files.isReadable(file)) {
      throw new IOException("the file does not exist or is not readable");
    }
    try {
      JsonNode json = JsonMapper.shared().readTree(Files.readString(file));
      JsonNode machine = json.required("machine");
      return new BenchResults(
          Instant.parse(json.required("date").stringValue()),
          json.required("version").stringValue(),
          new Machine(
              machine.required("cores").intValue(),
              machine.required("kernel").stringValue(),
              machine.required("architecture").stringValue(),
              machine.required("jdk").stringValue(),
              machine.required("file_system").stringValue()),
          json.required("rounds").intValue(),
          json.required("figures").valueStream().map(BenchResults::figure).toList(),
          json.required("complaints").valueStream().map(JsonNode::stringValue).toList());
    } catch (JacksonException | DateTimeException wrong) {
      throw new IOException("the file does not hold results of scripts/bench", wrong);
    }
  }

  private static Figure figure(JsonNode json) {
    return new Figure(
        json.required("name").stringValue(),
        json.required("what").stringValue(),
        json.required("unit").stringValue(),
        roundValues(json),
        json.required("floors")
            .valueStream()
            .map(
                floor -> new Figure.Floor(floor.required("name").stringValue(), roundValues(floor)))
            .toList());
  }

  private static RoundValues roundValues(JsonNode json) {
    RoundValues rounds = new RoundValues();
    json.required("values").valueStream().forEach(value -> rounds.add(value.doubleValue()));
    return rounds;
  }
}
