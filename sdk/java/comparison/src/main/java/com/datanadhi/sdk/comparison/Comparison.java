package com.datanadhi.sdk.comparison;

import com.datanadhi.sdk.comparison.MeasuredApplication.Figures;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * Measures the SDK and OpenTelemetry's BatchLogRecordProcessor with OTLP/HTTP in alternating
 * rounds: each run has a server and an application in processes of their own, with the same heap.
 * Arguments: the number of rounds (3), then a part of the names of the scenarios to run (all).
 * Prints the medians of the rounds and the ratio of the SDK to OpenTelemetry.
 */
public final class Comparison {
  private static final List<String> LIBRARIES = List.of("otel", "sdk");

  /** Begins small: else memory would show how long it takes until the first collection. */
  private static final List<String> HEAP = List.of("-Xms16m", "-Xmx128m");

  /** A server and a load. */
  private record Scenario(int delayMillis, boolean gzip, String load) {
    String title() {
      return "%s, server answers %s%s"
          .formatted(
              load.replace("burst:", "burst of ")
                  + (Character.isDigit(load.charAt(0)) ? " records/s" : ""),
              delayMillis == 0 ? "at once" : "after " + delayMillis + " ms",
              gzip ? ", gzip" : "");
    }
  }

  private static final List<Scenario> SCENARIOS =
      List.of(
          new Scenario(0, false, "sustained"),
          new Scenario(50, false, "sustained"),
          new Scenario(0, true, "sustained"),
          new Scenario(50, true, "sustained"),
          new Scenario(0, false, "1000"),
          new Scenario(50, false, "burst:5000"),
          new Scenario(50, false, "burst:30000"));

  private Comparison() {}

  public static void main(String[] args) throws Exception {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 3;
    String only = args.length > 1 ? args[1] : "";
    Map<Scenario, Map<String, List<Figures>>> all = new LinkedHashMap<>();
    for (int round = 1; round <= rounds; round++) {
      for (Scenario scenario : SCENARIOS) {
        if (!scenario.title().contains(only)) {
          continue;
        }
        Map<String, List<Figures>> figures =
            all.computeIfAbsent(scenario, s -> new LinkedHashMap<>());
        for (String library : LIBRARIES) {
          System.err.printf("round %d: %s, %s%n", round, scenario.title(), library);
          figures.computeIfAbsent(library, l -> new ArrayList<>()).add(run(scenario, library));
        }
      }
    }
    all.forEach(Comparison::print);
  }

  private static Figures run(Scenario scenario, String library)
      throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("comparison");
    try {
      String received = directory.resolve("received").toString();
      String gzip = String.valueOf(scenario.gzip());
      Process server =
          start(
              List.of("-Xmx1g"),
              CountingServer.class,
              String.valueOf(scenario.delayMillis()),
              gzip,
              received);
      try (BufferedReader lines = server.inputReader(StandardCharsets.UTF_8)) {
        String url = lines.readLine();
        Process application =
            start(
                HEAP,
                MeasuredApplication.class,
                library,
                url,
                received,
                directory.resolve("sdk").toString(),
                gzip,
                scenario.load());
        try (BufferedReader output = application.inputReader(StandardCharsets.UTF_8)) {
          String line = output.readLine();
          if (application.waitFor() != 0 || line == null) {
            throw new IOException(library + " failed in " + scenario.title());
          }
          return Figures.of(line);
        }
      } finally {
        server.destroy();
        server.waitFor();
      }
    } finally {
      delete(directory);
    }
  }

  private static Process start(List<String> heap, Class<?> program, String... arguments)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(heap);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private static void print(Scenario scenario, Map<String, List<Figures>> figures) {
    System.out.printf("%n%s%n%n", scenario.title());
    System.out.println("| | OpenTelemetry | SDK | SDK : OpenTelemetry |");
    System.out.println("|---|---|---|---|");
    boolean burst = scenario.load().startsWith("burst:");
    if (!burst) {
      row("records/s", figures, Figures::rate);
      row("call, p50, µs", figures, Figures::p50);
      row("call, p99, µs", figures, Figures::p99);
      row("processor time, µs/record", figures, Figures::cpu);
      row("body, bytes/record", figures, Figures::bytes);
    }
    row("peak resident memory, MiB", figures, Figures::resident);
    if (!burst) {
      row("heap after collections, at most, MiB", figures, Figures::live);
    }
    row("records logged", figures, Figures::calls);
    row("records kept in files", figures, Figures::kept);
    row("records lost", figures, Figures::lost);
  }

  private static void row(
      String name, Map<String, List<Figures>> figures, ToDoubleFunction<Figures> value) {
    double peer = median(figures.getOrDefault(LIBRARIES.get(0), List.of()), value);
    double sdk = median(figures.getOrDefault(LIBRARIES.get(1), List.of()), value);
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %s | %s |%n",
        name,
        number(peer),
        number(sdk),
        peer == 0 ? "" : String.format(Locale.ROOT, "%.2f", sdk / peer));
  }

  private static double median(List<Figures> figures, ToDoubleFunction<Figures> value) {
    double[] sorted = figures.stream().mapToDouble(value).sorted().toArray();
    return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value >= 100 || value == 0 ? "%,.0f" : "%.2f", value);
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      all.sorted(Comparator.reverseOrder())
          .forEach(path -> {
            try {
              Files.delete(path);
            } catch (IOException failed) {
              throw new UncheckedIOException(failed);
            }
          });
    }
  }
}
