import com.datanadhi.sdk.Configuration;
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
 * Logs once a second, while a main server and EchoPost's agent come, go and are killed around it, and
 * says in the end what arrived where.
 */
public final class Example {
  private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss");

  private Example() {}

  public static void main(String[] args) throws Exception {
    Path program = Path.of(args[0]).toAbsolutePath();
    int seconds = Integer.parseInt(args[1]);
    Path directory = Files.createTempDirectory("datanadhi-example");
    try (Servers main = new Servers("main server");
        Servers fallback = new Servers("fallback server");
        Servers downloads = Servers.ofFile(program)) {
      DataNadhi client =
          DataNadhi.open(
              Configuration.builder(directory)
                  .apiKey(System.getenv("DATANADHI_API_KEY"))
                  .serverHost(main.url())
                  .fallbackHost(fallback.url())
                  .downloadUrl(downloads.url())
                  .workers(1)
                  .build());
      say("The main server is up. EchoPost is being downloaded into " + directory);
      for (int second = 1; second <= seconds; second++) {
        happen(second, main, directory);
        client.submit(List.of("orders"), Map.of("message", "order taken", "seq", second));
        Thread.sleep(1000);
      }
      main.up();
      say("The main server is up for good; what the agent holds is delivered");
      long end = System.nanoTime() + Duration.ofSeconds(40).toNanos();
      boolean flushed = client.flush(Duration.ofSeconds(10));
      while (arrived(main, fallback).size() < seconds && System.nanoTime() < end) {
        Thread.sleep(100);
      }
      client.close();
      boolean left = awaitLeaving(directory);
      int status = report(client.counters(), flushed, seconds, main, fallback);
      if (status == 0 && left) {
        delete(directory);
      } else {
        System.out.println("See " + directory);
      }
      System.exit(status);
    }
  }

  /** The living agent, by the file that it holds locked. */
  private static Optional<ProcessHandle> agent(Path directory) throws IOException {
    Path lock = directory.resolve("echopost/agent.lock");
    String pid = Files.exists(lock) ? Files.readString(lock).strip() : "";
    return pid.isEmpty()
        ? Optional.empty()
        : ProcessHandle.of(Long.parseLong(pid)).filter(ProcessHandle::isAlive);
  }

  /** An agent that has delivered everything leaves, two seconds after the last record. */
  private static boolean awaitLeaving(Path directory) throws Exception {
    for (int i = 0; i < 200 && agent(directory).isPresent(); i++) {
      Thread.sleep(100);
    }
    boolean left = agent(directory).isEmpty();
    say(left ? "The agent has delivered everything and left" : "The agent is still there");
    return left;
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }

  private static void happen(int second, Servers main, Path directory) throws Exception {
    switch (second % 30) {
      case 5 -> {
        main.down();
        say("The main server is down: records go to EchoPost");
      }
      case 12 -> {
        agent(directory)
            .ifPresent(
                agent -> {
                  agent.destroyForcibly();
                  say("The agent, process " + agent.pid() + ", was killed (-9)");
                });
      }
      case 18 -> {
        main.up();
        say("The main server is back: new records go there, and the agent delivers its own");
      }
      case 25 -> {
        main.hang();
        say("The main server hangs");
      }
      case 29 -> {
        main.up();
        say("The main server answers again");
      }
      default -> {
        // Nothing happens.
      }
    }
  }

  private static Set<Integer> arrived(Servers... servers) {
    Set<Integer> all = new TreeSet<>();
    for (Servers server : servers) {
      all.addAll(server.arrived());
    }
    return all;
  }

  private static int report(
      Counters counters, boolean flushed, int seconds, Servers main, Servers fallback) {
    Set<Integer> all = arrived(main, fallback);
    System.out.printf("%nSubmitted               %d%n", counters.submitted());
    System.out.printf("to the main server      %d%n", counters.deliveredToMainServer());
    System.out.printf("to EchoPost             %d%n", counters.deliveredToEchoPost());
    System.out.printf("to the fallback server  %d%n", counters.deliveredToFallback());
    System.out.printf("into files              %s%n", counters.dropped());
    System.out.printf("The main server has     %d records%n", main.arrived().size());
    System.out.printf("The fallback server has %d records%n", fallback.arrived().size());
    long accounted = all.size() + counters.droppedTotal();
    System.out.printf(
        accounted >= seconds && flushed ? "Nothing is missing.%n" : "MISSING: %d records.%n",
        seconds - accounted);
    return accounted >= seconds ? 0 : 1;
  }

  static void say(String what) {
    System.out.println(LocalTime.now().format(CLOCK) + "  " + what);
  }
}
