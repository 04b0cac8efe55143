package com.datanadhi.sdk.bench;

import com.datanadhi.sdk.Configuration;
import com.datanadhi.sdk.DataNadhi;
import com.datanadhi.sdk.EchoPostState;
import com.datanadhi.sdk.testkit.Agents;
import com.datanadhi.sdk.testkit.SmallDisk;
import com.datanadhi.sdk.testkit.StubServer;
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
 * How long a caller of {@code submit} is held, by world. The queue is so large that an iteration
 * does not fill it, but in {@code full}, where it is full from the start.
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
  public String world;

  private Path directory;
  private StubServer main;
  private StubServer fallback;
  private DataNadhi client;
  private Thread killer;
  private Optional<SmallDisk> disk = Optional.empty();

  /** A world and a client for each iteration. */
  @Setup(Level.Iteration)
  public void open() throws Exception {
    directory = Files.createTempDirectory("sdk-bench");
    main = StubServer.up();
    fallback = StubServer.up();
    boolean echoPost = world.equals("echopost") || world.equals("killed");
    switch (world) {
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
        noRoomForFiles();
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
            Configuration.builder(directory)
                .apiKey("bench-key")
                .serverHost(main.url())
                .fallbackHost(fallback.url())
                .echoPostDisabled(!echoPost)
                .queueSize(world.equals("full") ? 1000 : 1_000_000)
                .exitTimeout(Duration.ZERO)
                .build());
    while (client.counters().echoPost().status() == EchoPostState.Status.PREPARING) {
      Thread.sleep(1);
    }
    killer = new Thread(this::killTheAgentAgainAndAgain);
    if (world.equals("killed")) {
      killer.start();
    }
  }

  private void noRoomForFiles() throws IOException, InterruptedException {
    Path dropped = directory.resolve("dropped");
    disk = SmallDisk.tryMount(dropped, "64k");
    if (disk.isPresent()) {
      disk.get().fill();
    } else {
      // Without root: a place that may not be written to.
      Files.delete(dropped);
      Files.writeString(dropped, "");
    }
  }

  private void killTheAgentAgainAndAgain() {
    try {
      while (true) {
        Thread.sleep(200);
        Agents.killOnce(directory);
      }
    } catch (InterruptedException end) {
      // The iteration is over.
    }
  }

  /** Leaves nothing behind. */
  @TearDown(Level.Iteration)
  public void close() throws Exception {
    killer.interrupt();
    killer.join();
    letNothingBeWritten();
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

  /** Else the end would take longer than what is measured: a million records, with fsync. */
  private void letNothingBeWritten() throws IOException {
    Path dropped = directory.resolve("dropped");
    while (disk.isEmpty() && !Files.isRegularFile(dropped)) {
      if (Files.isDirectory(dropped)) {
        Files.move(dropped, directory.resolve("written-" + System.nanoTime()));
      }
      try {
        Files.createFile(dropped);
      } catch (FileAlreadyExistsException writing) {
        // A worker was quicker.
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

  /** Runs it, with JMH's arguments, and prints the table that people want. */
  public static void main(String[] args) throws Exception {
    Options options =
        new OptionsBuilder()
            .parent(new CommandLineOptions(args))
            .include(SubmitBenchmark.class.getSimpleName())
            .shouldFailOnError(true)
            .build();
    Collection<RunResult> results = new Runner(options).run();
    System.out.printf("%nHow long submit holds its caller, in microseconds%n%n");
    System.out.printf(
        "%-10s %12s %8s %8s %8s %10s%n", "world", "calls", "p50", "p99", "p99.9", "max");
    for (RunResult result : results) {
      Statistics took = result.getPrimaryResult().getStatistics();
      System.out.printf(
          Locale.ROOT,
          "%-10s %,12d %8.2f %8.2f %8.2f %10.1f%n",
          result.getParams().getParam("world"),
          took.getN(),
          took.getPercentile(50),
          took.getPercentile(99),
          took.getPercentile(99.9),
          took.getMax());
    }
  }

  /** What is measured. */
  @Benchmark
  public boolean submit() {
    return client.submit(PIPELINES, PAYLOAD);
  }
}
