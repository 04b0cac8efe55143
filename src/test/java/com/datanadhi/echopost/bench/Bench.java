package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.cli.CommandLine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/// `scripts/bench`: measures the packaged program, and prints the results as a table or one JSON
/// object. Also writes them to `target/bench`, as `results.json` and charts. The exit status is 0
/// if every measurement was done, 1 if one failed, 2 if the arguments are wrong; no figure decides
/// it.
///
/// The working directory must be the project's. Progress is printed on standard error.
public final class Bench {
  private static final Path JVM_FLAGS = Path.of("scripts/jvm-flags");
  private static final Path RESULTS_DIRECTORY = Path.of("target/bench");

  private final Options options;
  private final RunSize size;
  private final TestBed testBed;
  private final List<Figure> figures = new ArrayList<>();
  private final List<Chart> charts = new ArrayList<>();
  private final long startNanos = System.nanoTime();

  private Bench(Options options, TestBed testBed) {
    this.options = options;
    this.size = options.size();
    this.testBed = testBed;
  }

  /// See [Options] for the arguments.
  public static void main(String[] arguments) throws Exception {
    Options options;
    try {
      options = Options.parse(arguments);
    } catch (IllegalArgumentException invalid) {
      System.err.println("bench: " + invalid.getMessage());
      System.exit(2);
      return;
    }
    System.exit(run(options) ? 0 : 1);
  }

  private static boolean run(Options options) throws Exception {
    try (TestBed testBed = new TestBed(LauncherFlags.read(JVM_FLAGS), options.programs())) {
      Runtime.getRuntime()
          .addShutdownHook(
              Thread.ofPlatform()
                  .unstarted(() -> {
                    try {
                      testBed.close();
                    } catch (IOException | InterruptedException failed) {
                      System.err.println(
                          "bench: cannot delete temporary files or processes: " + failed);
                    }
                  }));
      try {
        Bench run = new Bench(options, testBed);
        run.publish(run.measure());
        return true;
      } catch (Exception failed) {
        if (!testBed.isClosed()) {
          System.err.println("bench: " + failed);
          failed.printStackTrace();
        }
        return false;
      }
    }
  }

  private void publish(BenchResults results) throws IOException {
    Path _ = Files.createDirectories(RESULTS_DIRECTORY);
    Path _ = Files.writeString(RESULTS_DIRECTORY.resolve("results.json"), results.json() + "\n");
    System.out.println(options.json() ? results.json() : results.table());
    if (options.earlier() != null) {
      System.out.println(new Comparison(options.earlier(), results).table());
    }
    for (Chart chart : charts) {
      progress("wrote " + chart.save(RESULTS_DIRECTORY));
    }
  }

  private BenchResults measure() throws Exception {
    Machine machine = Machine.ofThis(testBed.root());
    if (machine.isInMemory()) {
      progress(
          "warning: "
              + testBed.root()
              + " is in memory: figures that depend on storage mean nothing");
    }
    Instant date = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    warmUp();
    measure(new StartUp(testBed), RunSize.STARTS);
    measure(new FirstStart(testBed), size.rounds());
    measure(new IngestThroughput(testBed, size), size.rounds());
    measure(new IngestLatency(testBed, size), size.rounds());
    measure(new NewConnections(testBed, size), size.rounds());
    measure(new ReplayThroughput(testBed, size), size.rounds());
    measure(new ReplayInBatches(testBed, size), size.rounds());
    measure(new ResidentMemory(testBed, size), size.rounds());
    measure(new LargeBacklog(testBed, size), 1);
    List<String> warnings = testBed.warnings();
    if (!warnings.isEmpty()) {
      progress(warnings.size() + " lines of agents that are not at level INFO:");
      warnings.stream().limit(20).forEach(System.err::println);
    }
    return new BenchResults(date, CommandLine.version(), machine, size.rounds(), figures, warnings);
  }

  /// Lets the JIT compile the clients, which run in this process, and the programs unpack
  /// themselves, before anything is measured.
  private void warmUp() throws Exception {
    progress("warming up");
    testBed.onEach(service -> {
      try (GrpcJavaSender sender = new GrpcJavaSender(service.socket())) {
        sender.sendOne();
        var _ = sender.pipelined(size.warmRecords());
      }
    });
  }

  private void measure(Benchmark benchmark, int rounds) throws Exception {
    if (!options.only().isEmpty() && !options.only().equals(benchmark.name())) {
      return;
    }
    for (int round = 1; round <= rounds; round++) {
      progress(benchmark.name() + ", round " + round + " of " + rounds);
      benchmark.round();
    }
    figures.addAll(benchmark.figures());
    charts.addAll(benchmark.charts());
  }

  private void progress(String line) {
    System.err.printf("[%3d s] %s%n", (System.nanoTime() - startNanos) / 1_000_000_000, line);
  }
}
