import com.datanadhi.sdk.DataNadhiConfiguration;
import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.DataNadhi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Submits a record every second, while the main server stops, starts and hangs and EchoPost's agent
 * is killed, and prints at the end which records arrived at which server.
 */
public final class Example {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss");

  private Example() {}

  public static void main(String[] args) throws Exception {
    Path program = Path.of(args[0]).toAbsolutePath();
    int seconds = Integer.parseInt(args[1]);
    Path directory = Files.createTempDirectory("datanadhi-example");
    try (ExampleServer main = new ExampleServer("main server");
        ExampleServer fallback = new ExampleServer("fallback server");
        ExampleServer downloads = ExampleServer.ofFile(program)) {
      DataNadhi client =
          DataNadhi.open(
              DataNadhiConfiguration.builder(directory)
                  .apiKey(System.getenv("DATANADHI_API_KEY"))
                  .serverHost(main.url())
                  .fallbackHost(fallback.url())
                  .downloadUrl(downloads.url())
                  .workers(1)
                  .build());
      print("The main server is up. EchoPost is being downloaded into " + directory);
      for (int second = 1; second <= seconds; second++) {
        changeScenario(second, main, directory);
        client.submit(List.of("orders"), Map.of("message", "order taken", "seq", second));
        Thread.sleep(1000);
      }
      main.start();
      print("The main server stays up; the agent delivers the records that it holds");
      long end = System.nanoTime() + Duration.ofSeconds(40).toNanos();
      boolean flushed = client.flush(Duration.ofSeconds(10));
      while (received(main, fallback).size() < seconds && System.nanoTime() < end) {
        Thread.sleep(100);
      }
      client.close();
      boolean hasExited = awaitExit(directory);
      int status = report(client.counters(), flushed, seconds, main, fallback);
      if (status == 0 && hasExited) {
        delete(directory);
      } else {
        System.out.println("The files are in " + directory);
      }
      System.exit(status);
    }
  }

  /** The running agent, by the process id in its lock file. */
  private static Optional<ProcessHandle> agent(Path directory) throws IOException {
    Path lock = directory.resolve("echopost/agent.lock");
    String pid = Files.exists(lock) ? Files.readString(lock).strip() : "";
    return pid.isEmpty()
        ? Optional.empty()
        : ProcessHandle.of(Long.parseLong(pid)).filter(ProcessHandle::isAlive);
  }

  /** An agent exits two seconds after it has delivered its last record. */
  private static boolean awaitExit(Path directory) throws Exception {
    for (int i = 0; i < 200 && agent(directory).isPresent(); i++) {
      Thread.sleep(100);
    }
    boolean hasExited = agent(directory).isEmpty();
    print(
        hasExited
            ? "The agent has delivered all its records and has exited"
            : "The agent still runs");
    return hasExited;
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }

  private static void changeScenario(int second, ExampleServer main, Path directory)
      throws Exception {
    switch (second % 30) {
      case 5 -> {
        main.stop();
        print("The main server is down: records go to EchoPost");
      }
      case 12 -> {
        agent(directory)
            .ifPresent(agent -> {
              agent.destroyForcibly();
              print("The agent, process " + agent.pid() + ", was killed (SIGKILL)");
            });
      }
      case 18 -> {
        main.start();
        print(
            "The main server is up again: new records go there, and the agent delivers those it"
                + " holds");
      }
      case 25 -> {
        main.hang();
        print("The main server hangs");
      }
      case 29 -> {
        main.start();
        print("The main server answers again");
      }
      default -> {
        // The scenario stays as it is.
      }
    }
  }

  private static Set<Integer> received(ExampleServer... servers) {
    Set<Integer> all = new TreeSet<>();
    for (ExampleServer server : servers) {
      all.addAll(server.received());
    }
    return all;
  }

  private static int report(
      Counters counters, boolean flushed, int seconds, ExampleServer main, ExampleServer fallback) {
    Set<Integer> all = received(main, fallback);
    System.out.printf("%nSubmitted               %d%n", counters.submitted());
    System.out.printf("to the main server      %d%n", counters.deliveredToMainServer());
    System.out.printf("to EchoPost             %d%n", counters.deliveredToEchoPost());
    System.out.printf("to the fallback server  %d%n", counters.deliveredToFallback());
    System.out.printf("into files              %s%n", counters.dropped());
    System.out.printf("The main server has     %d records%n", main.received().size());
    System.out.printf("The fallback server has %d records%n", fallback.received().size());
    long accounted = all.size() + counters.droppedTotal();
    System.out.printf(
        accounted >= seconds && flushed ? "No record is missing.%n" : "MISSING: %d records.%n",
        seconds - accounted);
    return accounted >= seconds ? 0 : 1;
  }

  static void print(String event) {
    System.out.println(LocalTime.now().format(TIME) + "  " + event);
  }
}
