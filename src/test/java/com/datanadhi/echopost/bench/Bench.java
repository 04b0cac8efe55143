package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.cli.CommandLine;
import com.datanadhi.echopost.testkit.AgentProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/// Measures the packaged program, and prints what it found: a table, or one JSON object. It judges
/// nothing: the exit status says only whether everything could be run.
///
/// It runs in the project's directory. Progress goes to standard error.
public final class Bench {
  private static final Path JVM_FLAGS = Path.of("scripts/jvm-flags");

  private final Effort effort;
  private final Workbench bench;
  private final long start = System.nanoTime();

  private Bench(Effort effort, Workbench bench) {
    this.effort = effort;
    this.bench = bench;
  }

  /// `Bench [--quick] [--json] [--program PATH]`
  public static void main(String[] arguments) throws Exception {
    Effort effort = Effort.FULL;
    boolean json = false;
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--quick" -> effort = Effort.QUICK;
        case "--json" -> json = true;
        case "--program" -> {
          if (++i == arguments.length) {
            usage();
          }
          System.setProperty("echopost.program", arguments[i]);
        }
        default -> usage();
      }
    }
    if (!Files.isExecutable(AgentProcess.program())) {
      System.err.println(
          "bench: "
              + AgentProcess.program()
              + " is no program: build it, or name one with --program");
      System.exit(2);
    }
    System.exit(run(effort, json) ? 0 : 1);
  }

  private static void usage() {
    System.err.println("usage: scripts/bench [--quick] [--json] [--program PATH]");
    System.exit(2);
  }

  private static boolean run(Effort effort, boolean json) throws Exception {
    try (Workbench bench = new Workbench(LauncherFlags.read(JVM_FLAGS))) {
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
        Report report = new Bench(effort, bench).measure();
        System.out.println(json ? report.json() : report.table());
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

  private Report measure() throws Exception {
    Machine machine = Machine.ofThis(bench.root());
    if (machine.forgets()) {
      say("warning: " + bench.root() + " is in memory, so that storage costs nothing here");
    }
    Instant date = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    warmUpClient();
    List<Figure> figures = new ArrayList<>();
    figures.addAll(measure(new StartUp(bench), Effort.STARTS));
    figures.addAll(measure(new IngestThroughput(bench, effort), effort.rounds()));
    figures.addAll(measure(new IngestLatency(bench, effort), effort.rounds()));
    figures.addAll(measure(new ReplayThroughput(bench, effort), effort.rounds()));
    figures.addAll(measure(new ResidentMemory(bench, effort), effort.rounds()));
    List<String> complaints = bench.complaints();
    if (!complaints.isEmpty()) {
      say("the agents complained " + complaints.size() + " times:");
      complaints.stream().limit(20).forEach(System.err::println);
    }
    return new Report(date, CommandLine.version(), machine, effort, figures, complaints);
  }

  /// The clients are in this process: the first service must not wait for their compiler.
  private void warmUpClient() throws IOException, InterruptedException {
    say("warming up the client");
    NoOpService.Running service = NoOpService.start(bench);
    try (Sender sender = new Sender(service.socket())) {
      var _ = sender.pipelined(effort.warmRecords());
    }
    bench.stop(service.process());
  }

  private List<Figure> measure(Measurement measurement, int rounds) throws Exception {
    for (int round = 1; round <= rounds; round++) {
      say(measurement.name() + ", round " + round + " of " + rounds);
      measurement.round();
    }
    return measurement.figures();
  }

  private void say(String what) {
    System.err.printf("[%3d s] %s%n", (System.nanoTime() - start) / 1_000_000_000, what);
  }
}
