package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.cli.CommandLine;
import com.datanadhi.testkit.PackagedProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// `scripts/bench --hub`: measures the packaged hub from outside, as [Bench] measures the agent,
/// and prints the results in the same forms. Writes them to `target/bench/hub-results.json`. Exit
/// status as there.
///
/// The system property `echopost.hub.classpath` is the class path of the hub's tests.
public final class HubBench {
  private static final Path JVM_FLAGS = Path.of("hub/jvm-flags");
  private static final Path RESULTS = Path.of("target/bench/hub-results.json");
  private static final String USAGE =
      "usage: scripts/bench --hub [--quick] [--json | --compare FILE] [--program PATH]"
          + " [--only PART] [--rounds N]";
  private static final Set<String> PARTS =
      Set.of("requests", "lines", "memory", "many", "archive", "restore");

  private final HubSize size;
  private final HubBed bed;
  private final @Nullable String only;
  private final List<Figure> figures = new ArrayList<>();
  private final long startNanos = System.nanoTime();

  private HubBench(HubSize size, HubBed bed, @Nullable String only) {
    this.size = size;
    this.bed = bed;
    this.only = only;
  }

  /// Arguments: those of the usage.
  public static void main(String[] arguments) throws Exception {
    HubSize size = HubSize.FULL;
    boolean json = false;
    Path program = PackagedProgram.hub();
    @Nullable String only = null;
    int rounds = 0;
    @Nullable BenchResults earlier = null;
    try {
      Iterator<String> remaining = List.of(arguments).iterator();
      while (remaining.hasNext()) {
        switch (remaining.next()) {
          case "--quick" -> size = HubSize.QUICK;
          case "--json" -> json = true;
          case "--compare" -> earlier = BenchResults.read(Path.of(value(remaining)));
          case "--program" -> program = Path.of(value(remaining)).toAbsolutePath();
          case "--only" -> only = value(remaining);
          case "--rounds" -> rounds = atLeastOne(value(remaining));
          default -> throw new IllegalArgumentException(USAGE);
        }
      }
      if ((json && earlier != null) || (only != null && !PARTS.contains(only))) {
        throw new IllegalArgumentException(USAGE);
      }
      if (!Files.isExecutable(program)) {
        throw new IllegalArgumentException(program + " is not an executable file");
      }
    } catch (IllegalArgumentException | IOException wrong) {
      System.err.println("bench: " + wrong.getMessage());
      System.exit(2);
      return;
    }
    if (rounds > 0) {
      size = size.withRounds(rounds);
    }
    System.exit(run(size, json, program, only, earlier) ? 0 : 1);
  }

  private static int atLeastOne(String value) {
    try {
      int number = Integer.parseInt(value);
      if (number >= 1) {
        return number;
      }
    } catch (NumberFormatException notANumber) {
      // It is answered below like any other wrong value.
    }
    throw new IllegalArgumentException("--rounds takes a number of at least 1, not " + value);
  }

  private static String value(Iterator<String> remaining) {
    if (!remaining.hasNext()) {
      throw new IllegalArgumentException(USAGE);
    }
    return remaining.next();
  }

  private static boolean run(
      HubSize size,
      boolean json,
      Path program,
      @Nullable String only,
      @Nullable BenchResults earlier)
      throws Exception {
    String classPath = System.getProperty("echopost.hub.classpath");
    if (classPath == null) {
      throw new IllegalStateException("the property echopost.hub.classpath is missing");
    }
    try (HubBed bed = new HubBed(program, LauncherFlags.read(JVM_FLAGS), classPath)) {
      Runtime.getRuntime()
          .addShutdownHook(
              Thread.ofPlatform()
                  .unstarted(() -> {
                    try {
                      bed.close();
                    } catch (Exception failed) {
                      System.err.println(
                          "bench: cannot delete temporary files or processes: " + failed);
                    }
                  }));
      try {
        BenchResults results = new HubBench(size, bed, only).measure();
        Path _ = Files.createDirectories(RESULTS.getParent());
        Path _ = Files.writeString(RESULTS, results.json() + "\n");
        System.out.println(json ? results.json() : results.table());
        if (earlier != null) {
          System.out.println(new Comparison(earlier, results).table());
        }
        return true;
      } catch (Exception failed) {
        if (!bed.isClosed()) {
          System.err.println("bench: " + failed);
          failed.printStackTrace();
        }
        return false;
      }
    }
  }

  private BenchResults measure() throws Exception {
    Machine machine = Machine.ofThis(bed.root());
    if (machine.isInMemory()) {
      progress(
          "warning: " + bed.root() + " is in memory: figures that depend on storage mean nothing");
    }
    if (!Files.isExecutable(NatsServer.PROGRAM)) {
      progress("without NATS: scripts/install-tools nats-server installs it");
    }
    if (!Files.isExecutable(ObjectPlace.S3_PROGRAM)) {
      progress("without S3: scripts/install-tools versitygw installs a server");
    }
    Instant date = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    measure("requests", new HubRequestRate(bed, size), size.rounds());
    measure("lines", new HubBatchRate(bed, size), size.rounds());
    measure("memory", new HubMemory(bed, size), size.rounds());
    measure("many", new HubLargeView(bed, size), 1);
    HubBacklog backlog = new HubBacklog(bed, size);
    measure("archive", new HubArchive(bed, size, backlog), size.rounds());
    measure("archive", new HubBackupCost(bed, size), size.rounds());
    measure("restore", new HubRestore(bed, backlog), size.rounds());
    return new BenchResults(
        date, CommandLine.version(), machine, size.rounds(), figures, List.of());
  }

  private void measure(String part, Benchmark benchmark, int rounds) throws Exception {
    if (only != null && !only.equals(part)) {
      return;
    }
    for (int round = 1; round <= rounds; round++) {
      progress(benchmark.name() + ", round " + round + " of " + rounds);
      benchmark.round();
    }
    figures.addAll(benchmark.figures());
  }

  private void progress(String line) {
    System.err.printf("[%3d s] %s%n", (System.nanoTime() - startNanos) / 1_000_000_000, line);
  }
}
