package com.datanadhi.sdk.bench;

import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.DataNadhiConfiguration;
import com.datanadhi.sdk.EchoPostState;
import com.datanadhi.sdk.SubmitResult;
import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.LogServer;
import com.datanadhi.testkit.SmallDisk;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.util.Statistics;

/**
 * Measures how long {@code submit} takes for its caller, in several scenarios. The queue is so
 * large that an iteration does not fill it, except in {@code full}, where it soon is full.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgs = "-Xmx3g")
@State(Scope.Benchmark)
public class SubmitBenchmark {
  private static final List<String> PIPELINES = List.of("orders");
  private static final Map<String, Object> PAYLOAD =
      Map.of("message", "card declined", "level", "ERROR", "order", 1003, "user", "u-17");

  /** What the servers and EchoPost do. */
  @Param({"up", "hanging", "full", "down", "disk_full", "echopost", "killed"})
  public String scenario;

  private Path directory;
  private LogServer main;
  private LogServer fallback;
  private DataNadhi client;
  private Thread killer;
  private Optional<SmallDisk> disk = Optional.empty();

  /** Starts the servers and a client for each iteration. */
  @Setup(Level.Iteration)
  public void open() throws Exception {
    directory = Files.createTempDirectory("sdk-bench");
    main = LogServer.up();
    fallback = LogServer.up();
    boolean echoPost = scenario.equals("echopost") || scenario.equals("killed");
    switch (scenario) {
      case "hanging", "full" -> {
        main.hang();
        fallback.hang();
      }
      case "down" -> {
        main.goDown();
        fallback.goDown();
      }
      case "disk_full" -> {
        main.goDown();
        fallback.goDown();
        fillDiskForFiles();
      }
      case "echopost", "killed" -> main.goDown();
      default -> {
        // Up.
      }
    }
    if (echoPost) {
      Agents.install(directory);
    }
    client =
        DataNadhi.open(
            DataNadhiConfiguration.builder(directory)
                .apiKey("bench-key")
                .serverHost(main.url())
                .fallbackHost(fallback.url())
                .echoPostDisabled(!echoPost)
                .queueBytes(scenario.equals("full") ? 1 << 18 : 1 << 30)
                .exitTimeout(Duration.ZERO)
                .build());
    while (client.counters().echoPost().status() == EchoPostState.Status.PREPARING) {
      Thread.sleep(1);
    }
    killer = new Thread(this::killAgentRepeatedly);
    if (scenario.equals("killed")) {
      killer.start();
    }
  }

  private void fillDiskForFiles() throws IOException, InterruptedException {
    Path dropped = directory.resolve("dropped");
    if (SmallDisk.skipReason().isEmpty()) {
      SmallDisk mounted = SmallDisk.mount(dropped, "64k");
      mounted.fill();
      disk = Optional.of(mounted);
    } else {
      // Without root no disk can be mounted: a file in place of the directory has the same effect.
      Files.writeString(dropped, "");
    }
  }

  private void killAgentRepeatedly() {
    try {
      while (true) {
        Thread.sleep(200);
        Agents.killOnce(directory);
      }
    } catch (InterruptedException stopped) {
      // The iteration is over.
    }
  }

  /** Closes and deletes everything. */
  @TearDown(Level.Iteration)
  public void close() throws Exception {
    killer.interrupt();
    killer.join();
    preventFileWrites();
    client.close();
    main.close();
    fallback.close();
    Agents.killAll(directory);
    if (disk.isPresent()) {
      disk.get().close();
      disk = Optional.empty();
    }
    try (Stream<Path> all = Files.walk(directory)) {
      all.sorted((a, b) -> b.compareTo(a)).forEach(SubmitBenchmark::delete);
    }
  }

  /** Writing up to a million records on close, with fsync, would take longer than the iteration. */
  private void preventFileWrites() throws IOException {
    Path dropped = directory.resolve("dropped");
    while (disk.isEmpty() && !Files.isRegularFile(dropped)) {
      if (Files.isDirectory(dropped)) {
        Files.move(dropped, directory.resolve("written-" + System.nanoTime()));
      }
      try {
        Files.createFile(dropped);
      } catch (FileAlreadyExistsException writing) {
        // A worker has created the directory again.
      }
    }
  }

  private static void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException busy) {
      throw new java.io.UncheckedIOException(busy);
    }
  }

  /** Runs the benchmark with JMH's arguments and prints a table of percentiles. */
  public static void main(String[] args) throws Exception {
    Options options =
        new OptionsBuilder()
            .parent(new CommandLineOptions(args))
            .include(SubmitBenchmark.class.getSimpleName())
            .shouldFailOnError(true)
            .build();
    Collection<RunResult> results = new Runner(options).run();
    System.out.printf("%nDuration of submit, in microseconds%n%n");
    System.out.printf(
        "%-10s %12s %8s %8s %8s %10s%n", "scenario", "calls", "p50", "p99", "p99.9", "max");
    for (RunResult result : results) {
      Statistics durations = result.getPrimaryResult().getStatistics();
      System.out.printf(
          Locale.ROOT,
          "%-10s %,12d %8.2f %8.2f %8.2f %10.1f%n",
          result.getParams().getParam("scenario"),
          durations.getN(),
          durations.getPercentile(50),
          durations.getPercentile(99),
          durations.getPercentile(99.9),
          durations.getMax());
    }
  }

  /** The call that is measured. */
  @Benchmark
  public SubmitResult submit() {
    return client.submit(PIPELINES, PAYLOAD);
  }
}
