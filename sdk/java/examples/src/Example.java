import com.datanadhi.sdk.Configuration;
import com.datanadhi.sdk.Counters;
import com.datanadhi.sdk.DataNadhi;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Logs once a second, while a main server and EchoPost's agent come, go and are killed around it, and
 * says in the end what arrived where.
 */
public final class Example {
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
      report(client.counters(), flushed, seconds, main, fallback);
    }
  }

  private static void happen(int second, Servers main, Path directory) throws Exception {
    switch (second % 30) {
      case 5 -> {
        main.down();
        say("The main server is down: records go to EchoPost");
      }
      case 12 -> {
        Path lock = directory.resolve("echopost/agent.lock");
        if (Files.exists(lock)) {
          long agent = Long.parseLong(Files.readString(lock).strip());
          ProcessHandle.of(agent).ifPresent(ProcessHandle::destroyForcibly);
          say("The agent, process " + agent + ", was killed (-9)");
        }
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

  private static void report(
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
    System.exit(accounted >= seconds ? 0 : 1);
  }

  static void say(String what) {
    System.out.println(LocalTime.now().truncatedTo(ChronoUnit.SECONDS) + "  " + what);
  }
}
