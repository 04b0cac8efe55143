package com.datanadhi.echopost.testkit;

import com.datanadhi.testkit.StubServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Demonstrates the main job: while the main server is down, the agent acknowledges and stores
/// records; it is killed and restarted, replays all records once the server is up, and exits. The
/// main server is a hub, which is killed during replay too; or a stub; or any server. The exit
/// status is 1 if a record is missing, doubled or out of order.
public final class Quickstart {
  static final int RECORDS = 50_000;
  static final int CONNECTIONS = 4;
  private static final int KILL_HUB_AFTER = 1_500;
  private static final int KILL_AGENT_AFTER = 4_000;
  private static final Duration REPLAY_TIMEOUT = Duration.ofMinutes(5);
  private static final String FIRST_PENDING_SQL =
      "SELECT id, received_utc, bytes, substr(payload_start, 1, 40) AS payload FROM pending LIMIT"
          + " 3";

  private final Narration narration = new Narration();
  private final Path directory;
  private final String url;
  private final String apiKey;
  private final @Nullable StubServer stub;
  private final @Nullable QuickstartHub hub;

  private Quickstart(
      Path directory,
      String url,
      String apiKey,
      @Nullable StubServer stub,
      @Nullable QuickstartHub hub) {
    this.directory = directory;
    this.url = url;
    this.apiKey = apiKey;
    this.stub = stub;
    this.hub = hub;
  }

  /// `Quickstart [--stub | --batches | --url URL]`
  public static void main(String[] args) throws Exception {
    // A short name: temporary directories have long paths on macOS, and the path of a socket has a
    // length limit.
    Path directory = Files.createTempDirectory("echopost");
    Quickstart quickstart;
    if (args.length == 0) {
      QuickstartHub hub = QuickstartHub.create(Files.createTempDirectory("echopost-hub"));
      quickstart = new Quickstart(directory, hub.url(), hub.apiKey(), null, hub);
    } else if (args.length == 1 && (args[0].equals("--stub") || args[0].equals("--batches"))) {
      StubServer stub = StubServer.down();
      stub.offer(args[0].equals("--stub") ? StubServer.Offer.NONE : StubServer.Offer.BATCHES);
      quickstart = new Quickstart(directory, stub.url(), "agent-key", stub, null);
    } else if (args.length == 2 && args[0].equals("--url")) {
      quickstart = new Quickstart(directory, args[1], "agent-key", null, null);
    } else {
      System.err.println("usage: scripts/quickstart [--stub | --batches | --url URL]");
      System.exit(2);
      return;
    }
    boolean passed = quickstart.run();
    quickstart.narration.end(passed);
    System.exit(passed ? 0 : 1);
  }

  private boolean run() throws Exception {
    narration.step(
        stub != null
            ? "Main server: a stub at " + url + ", which is down"
            : hub != null
                ? "Main server: a hub at " + url + ", which is down"
                : "Main server: " + url + " (from --url)");
    long start = System.nanoTime();
    LoadClient.Result sent;
    try (AgentProcess agent = spawnAgent();
        LoadClient client = new LoadClient(agent.socket(), apiKey)) {
      long _ = agent.awaitSocket();
      narration.timeSince("agent ready", start);
      narration.step(
          "Sending "
              + RECORDS
              + " records over "
              + agent.socket()
              + ", on "
              + CONNECTIONS
              + " connections");
      Progress progress = new Progress("acknowledged", RECORDS);
      sent = client.run(new LoadClient.Load(RECORDS, 330, CONNECTIONS, 64, 0, 0), progress::show);
      progress.end();
      narration.time("records acknowledged, each after fsync", sent.nanos());
      narration.step(
          "Reading the buffer while the agent runs: sqlite3 -readonly "
              + directory.resolve("buffer.db"));
      narration.query(directory.resolve("buffer.db"), FIRST_PENDING_SQL);
      narration.step("Killing the agent with kill -9");
      agent.kill();
    }
    narration.row("accepted", sent.acknowledged() + " of " + RECORDS);
    int exit = replay();
    boolean passed = exit == 0 && sent.acknowledged() == RECORDS && pending() == 0;
    if (stub != null) {
      passed &= reportStub(stub);
    }
    narration.row("agent's exit status", Integer.toString(exit));
    narration.row("sent", ways());
    if (hub != null) {
      passed &= hub.report(narration);
    }
    return passed;
  }

  private AgentProcess spawnAgent() throws IOException {
    return AgentProcess.spawn(directory, url, "-api-key", apiKey);
  }

  /// Starts the agent again, lets it deliver all records, and returns its exit status.
  private int replay() throws IOException, InterruptedException, TimeoutException, SQLException {
    narration.step("Starting the agent again on the same directory");
    long start = System.nanoTime();
    AgentProcess agent = spawnAgent();
    try {
      agent.awaitReady();
      narration.timeSince("agent ready after the restart", start);
      start = System.nanoTime();
      if (stub != null) {
        narration.step("The main server is up again");
        stub.comeUp();
      } else if (hub != null) {
        narration.step("Starting the hub");
        narration.time("hub ready", hub.start());
      }
      List<Kill> kills = kills();
      Progress progress = new Progress("delivered", RECORDS);
      long deadline = System.nanoTime() + REPLAY_TIMEOUT.toNanos();
      while (agent.isAlive() && System.nanoTime() < deadline) {
        long delivered = delivered();
        progress.show(delivered);
        if (!kills.isEmpty() && delivered > kills.getFirst().after()) {
          progress.end();
          if (kills.removeFirst().ofHub() && hub != null) {
            narration.step("Killing the hub with kill -9 during replay, and starting it again");
            hub.kill();
            narration.time("hub ready after the restart", hub.start());
          } else {
            narration.step("Killing the agent with kill -9 during replay, and starting it again");
            agent.close();
            agent = spawnAgent();
          }
        }
        LockSupport.parkNanos(20_000_000);
      }
      int exit = agent.awaitExit(Duration.ofSeconds(1));
      progress.show(delivered());
      progress.end();
      narration.timeSince("replay and exit", start);
      return exit;
    } finally {
      agent.close();
    }
  }

  /// A kill -9 during replay.
  ///
  /// @param after how many records must have been delivered
  private record Kill(long after, boolean ofHub) {}

  private List<Kill> kills() {
    List<Kill> kills = new ArrayList<>();
    if (hub != null) {
      kills.add(new Kill(KILL_HUB_AFTER, true));
    }
    if (hub != null || stub != null) {
      kills.add(new Kill(KILL_AGENT_AFTER, false));
    }
    return kills;
  }

  private long delivered() throws SQLException {
    return stub == null ? RECORDS - pending() : stub.distinct();
  }

  private boolean reportStub(StubServer server) {
    Payloads.Order order =
        Payloads.check(server.deliveries().stream().map(StubServer.Request::text).toList());
    boolean inOrder = isInOrder(order);
    narration.row("delivered", order.distinct() + " (counted by the server)");
    narration.row(
        "in order",
        inOrder ? "yes, on each connection" : "NO: " + order.inversions() + " inversions");
    narration.row(
        "repeats",
        order.repeats() + " (with the same Idempotency-Key; caused by the kill -9 during replay)");
    return inOrder && server.distinct() == RECORDS;
  }

  static boolean isInOrder(Payloads.Order order) {
    boolean inOrder = true;
    for (int client = 0; client < CONNECTIONS; client++) {
      inOrder &= order.isComplete(client, RECORDS / CONNECTIONS);
    }
    return inOrder;
  }

  /// Which way the last agent sent the records, by its metrics.
  private String ways() throws IOException {
    long batched = metric("echopost_batch_records_sum");
    long alone =
        metric("echopost_delivered_records_total")
            + metric("echopost_rejected_records_total")
            - batched;
    return "by the last agent: "
        + batched
        + " records in "
        + metric("echopost_batch_records_count")
        + " batches, "
        + alone
        + " one by one";
  }

  private long metric(String name) throws IOException {
    return Files.readAllLines(AgentProcess.lastMetrics(directory)).stream()
        .filter(line -> line.startsWith(name + "{"))
        .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  private long pending() throws SQLException {
    return Narration.number(directory.resolve("buffer.db"), "SELECT count(*) FROM records");
  }
}
