package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.cli.CommandLine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/// Measures the packaged program, and prints what it found: a table, or one JSON object, which also
/// goes to a file, with pictures beside it. It judges nothing: the exit status says only whether
/// everything could be run.
///
/// It runs in the project's directory. Progress goes to standard error.
public final class Bench {
  private static final Path JVM_FLAGS = Path.of("scripts/jvm-flags");
  private static final Path RESULTS = Path.of("target/bench");

  private final Options options;
  private final Effort effort;
  private final Workbench bench;
  private final List<Figure> figures = new ArrayList<>();
  private final List<Picture> pictures = new ArrayList<>();
  private final long start = System.nanoTime();

  private Bench(Options options, Workbench bench) {
    this.options = options;
    this.effort = options.effort();
    this.bench = bench;
  }

  /// For the arguments see [Options].
  public static void main(String[] arguments) throws Exception {
    Options options;
    try {
      options = Options.parse(arguments);
    } catch (IllegalArgumentException wrong) {
      System.err.println("bench: " + wrong.getMessage());
      System.exit(2);
      return;
    }
    System.exit(run(options) ? 0 : 1);
  }

  private static boolean run(Options options) throws Exception {
    try (Workbench bench = new Workbench(LauncherFlags.read(JVM_FLAGS), options.programs())) {
      Runtime.getRuntime()
          .addShutdownHook(
              Thread.ofPlatform()
                  .unstarted(() -> {
                    try {
                      bench.close();
                    } catch (IOException | InterruptedException failed) {
                      System.err.println("bench: could not clean up: " + failed);
                    }
                  }));
      try {
        Bench run = new Bench(options, bench);
        run.publish(run.measure());
        return true;
      } catch (Exception failed) {
        if (!bench.isClosed()) {
          System.err.println("bench: " + failed);
          failed.printStackTrace();
        }
        return false;
      }
    }
  }

  private void publish(Report report) throws IOException {
    Path _ = Files.createDirectories(RESULTS);
    Path _ = Files.writeString(RESULTS.resolve("results.json"), report.json() + "\n");
    System.out.println(options.json() ? report.json() : report.table());
    if (options.earlier() != null) {
      System.out.println(new Comparison(options.earlier(), report).table());
    }
    for (Picture picture : pictures) {
      say("drew " + picture.save(RESULTS));
    }
  }

  private Report measure() throws Exception {
    Machine machine = Machine.ofThis(bench.root());
    if (machine.forgets()) {
      say("warning: " + bench.root() + " is in memory, so that storage costs nothing here");
    }
    Instant date = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    warmUp();
    measure(new StartUp(bench), Effort.STARTS);
    measure(new FirstStart(bench), effort.rounds());
    measure(new IngestThroughput(bench, effort), effort.rounds());
    measure(new IngestLatency(bench, effort), effort.rounds());
    measure(new NewConnections(bench, effort), effort.rounds());
    measure(new ReplayThroughput(bench, effort), effort.rounds());
    measure(new ResidentMemory(bench, effort), effort.rounds());
    measure(new Backlog(bench, effort), 1);
    List<String> complaints = bench.complaints();
    if (!complaints.isEmpty()) {
      say("the agents complained " + complaints.size() + " times:");
      complaints.stream().limit(20).forEach(System.err::println);
    }
    return new Report(date, CommandLine.version(), machine, effort.rounds(), figures, complaints);
  }

  /// The clients are in this process: the first service must not wait for their compiler. And a
  /// program that has not run yet unpacks itself.
  private void warmUp() throws Exception {
    say("warming up");
    bench.onEach(service -> {
      try (Sender sender = new Sender(service.socket())) {
        sender.one();
        var _ = sender.pipelined(effort.warmRecords());
      }
    });
  }

  private void measure(Measurement measurement, int rounds) throws Exception {
    for (int round = 1; round <= rounds; round++) {
      say(measurement.name() + ", round " + round + " of " + rounds);
      measurement.round();
    }
    figures.addAll(measurement.figures());
    pictures.addAll(measurement.pictures());
  }

  private void say(String what) {
    System.err.printf("[%3d s] %s%n", (System.nanoTime() - start) / 1_000_000_000, what);
  }
}
