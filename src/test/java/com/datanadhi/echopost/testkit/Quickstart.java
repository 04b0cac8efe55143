package com.datanadhi.echopost.testkit;

import com.datanadhi.testkit.StubServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Demonstrates the agent's main job: while the main server is down, the agent acknowledges and
/// stores records; it is killed and restarted, replays all records once the server is up, and
/// exits. The exit status is 1 if a record is missing or out of order.
public final class Quickstart {
  private static final int RECORDS = 10_000;
  private static final int CONNECTIONS = 4;
  private static final int KILL_AFTER = 1_500;
  private static final Duration REPLAY_TIMEOUT = Duration.ofMinutes(5);
  private static final String FIRST_PENDING_SQL =
      "SELECT id, received_utc, bytes, substr(payload_start, 1, 40) AS payload FROM pending LIMIT"
          + " 3";

  private final StringBuilder summary = new StringBuilder();
  private final @Nullable StubServer stub;
  private final String url;
  private final Path directory;

  private Quickstart(@Nullable StubServer stub, String url) throws IOException {
    this.stub = stub;
    this.url = url;
    // A short name: temporary directories have long paths on macOS, and the path of a socket has a
    // length limit.
    this.directory = Files.createTempDirectory("echopost");
  }

  /// `Quickstart [--url URL]`
  public static void main(String[] args) throws Exception {
    if (args.length != 0 && !(args.length == 2 && args[0].equals("--url"))) {
      System.err.println("usage: scripts/quickstart [--url URL]");
      System.exit(2);
    }
    StubServer stub = args.length == 0 ? StubServer.down() : null;
    Quickstart quickstart = new Quickstart(stub, stub == null ? args[1] : stub.url());
    boolean passed = quickstart.run();
    System.out.println(quickstart.summary);
    System.out.println(passed ? "All records were delivered." : "FAILED: see above.");
    System.exit(passed ? 0 : 1);
  }

  private boolean run() throws IOException, InterruptedException, TimeoutException, SQLException {
    step(
        stub == null
            ? "Main server: " + url + " (from --url)"
            : "Main server: a stub at " + url + ", which is down");
    long start = System.nanoTime();
    LoadClient.Result sent;
    try (AgentProcess agent = AgentProcess.spawn(directory, url);
        LoadClient client = new LoadClient(agent.socket())) {
      agent.awaitSocket();
      printTimeSince("agent ready", start);
      step(
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
      printTime("records acknowledged, each after fsync", sent.nanos());
      step(
          "Reading the buffer while the agent runs: sqlite3 -readonly "
              + directory.resolve("buffer.db"));
      printFirstPending();
      step("Killing the agent with kill -9");
      agent.kill();
    }
    return replay(sent);
  }

  private boolean replay(LoadClient.Result sent)
      throws IOException, InterruptedException, TimeoutException, SQLException {
    step("Starting the agent again on the same directory");
    long start = System.nanoTime();
    try (AgentProcess agent = AgentProcess.spawn(directory, url)) {
      agent.awaitReady();
      printTimeSince("agent ready after the restart", start);
      start = System.nanoTime();
      if (stub != null) {
        step("The main server is up again");
        stub.comeUp();
      }
      Progress progress = new Progress("delivered", RECORDS);
      long deadline = System.nanoTime() + REPLAY_TIMEOUT.toNanos();
      boolean killed = stub == null;
      AgentProcess running = agent;
      while (running.isAlive() && System.nanoTime() < deadline) {
        progress.show(stub == null ? RECORDS - pending() : stub.distinct());
        if (!killed && stub != null && stub.distinct() > KILL_AFTER) {
          killed = true;
          running.kill();
          progress.end();
          step("Killing the agent with kill -9 during replay, and starting it again");
          running = AgentProcess.spawn(directory, url);
        }
        LockSupport.parkNanos(20_000_000);
      }
      int exit = running.awaitExit(Duration.ofSeconds(1));
      running.close();
      progress.show(stub == null ? RECORDS - pending() : stub.distinct());
      progress.end();
      printTimeSince("replay and exit", start);
      return report(sent, exit);
    }
  }

  private boolean report(LoadClient.Result sent, int exit) throws SQLException {
    boolean passed = exit == 0 && sent.acknowledged() == RECORDS && pending() == 0;
    row("accepted", sent.acknowledged() + " of " + RECORDS);
    if (stub != null) {
      Payloads.Order order =
          Payloads.check(stub.deliveries().stream().map(StubServer.Request::text).toList());
      boolean inOrder = true;
      for (int client = 0; client < CONNECTIONS; client++) {
        inOrder &= order.isComplete(client, RECORDS / CONNECTIONS);
      }
      row("delivered", order.distinct() + " (counted by the server)");
      row(
          "in order",
          inOrder ? "yes, on each connection" : "NO: " + order.inversions() + " inversions");
      row(
          "repeats",
          order.repeats()
              + " (with the same Idempotency-Key; caused by the kill -9 during replay)");
      passed &= inOrder && stub.distinct() == RECORDS;
    }
    row("agent's exit status", Integer.toString(exit));
    return passed;
  }

  private void printFirstPending() throws IOException, InterruptedException, SQLException {
    Path file = directory.resolve("buffer.db");
    try {
      Process cli =
          new ProcessBuilder("sqlite3", "-readonly", "-box", file.toString(), FIRST_PENDING_SQL)
              .redirectErrorStream(true)
              .start();
      String output = new String(cli.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (cli.waitFor() == 0) {
        System.out.print(output.indent(2));
        return;
      }
    } catch (IOException noCli) {
      System.out.println("  (no sqlite3 on the PATH: read with the JDBC driver instead)");
    }
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(FIRST_PENDING_SQL)) {
      while (rows.next()) {
        System.out.printf(
            "  %s  %s  %s  %s%n",
            rows.getString(1), rows.getString(2), rows.getString(3), rows.getString(4));
      }
    }
  }

  private Connection connect() throws SQLException {
    return DriverManager.getConnection(
        "jdbc:sqlite:file:" + directory.resolve("buffer.db") + "?mode=ro");
  }

  private long pending() throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT count(*) FROM records")) {
      return row.next() ? row.getLong(1) : -1;
    }
  }

  private static void step(String what) {
    System.out.println("\n" + what);
  }

  private void printTimeSince(String what, long startNanos) {
    printTime(what, System.nanoTime() - startNanos);
  }

  private void printTime(String what, long nanos) {
    String seconds = String.format("%.2f s", nanos / 1e9);
    System.out.println("  " + what + ": " + seconds);
    row(what, seconds);
  }

  private void row(String what, String value) {
    summary.append(String.format("%n  %-40s %s", what, value));
  }
}
