package com.datanadhi.echopost.testkit;

import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.Polling;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The hub of the quickstart, with one tenant.
final class QuickstartHub {
  private static final String TENANT = "quickstart";
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /// All columns of one row: a record counts once if there are as many keys as records. A key of an
  /// agent is `<source>-<n>`, where n grows by 1.
  private static final String RECORDS_SQL =
      "SELECT count(*) AS records, count(DISTINCT key) AS keys, min(seq) AS first_seq, max(seq) AS"
          + " last_seq, count(*) FILTER (WHERE n <> previous + 1) AS out_of_order FROM (SELECT key,"
          + " seq, CAST(substr(key, 38) AS INTEGER) AS n, lag(CAST(substr(key, 38) AS INTEGER))"
          + " OVER (ORDER BY seq) AS previous FROM events)";

  private static final String SOURCES_SQL = "SELECT source, first, last FROM sources";

  private final Path data;
  private final int port;
  private final String apiKey;
  private @Nullable HubProcess process;

  private QuickstartHub(Path data, int port, String apiKey) {
    this.data = data;
    this.port = port;
    this.apiKey = apiKey;
  }

  /// Sets up a new hub with an API key, and stops it.
  static QuickstartHub create(Path data)
      throws IOException, InterruptedException, TimeoutException {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    try (HubProcess hub = HubProcess.spawn(data)) {
      long _ = hub.awaitReady();
      String apiKey = HubProcess.createKey(data, TENANT);
      hub.terminate();
      int exit = hub.awaitExit(LIMIT);
      if (exit != 0) {
        throw new IllegalStateException("exit status " + exit + ":\n" + hub.output());
      }
      return new QuickstartHub(data, port, apiKey);
    }
  }

  String url() {
    return "http://127.0.0.1:" + port;
  }

  String apiKey() {
    return apiKey;
  }

  /// Starts the hub, and returns the time until it was ready in nanoseconds.
  long start() throws IOException {
    HubProcess started = HubProcess.spawn(data, "--listen", "127.0.0.1:" + port);
    process = started;
    return started.awaitReady();
  }

  void kill() throws IOException, InterruptedException {
    if (process != null) {
      process.close();
    }
  }

  /// Shows what the hub has stored, stops it, and returns whether all is right.
  boolean report(Narration narration)
      throws IOException, InterruptedException, SQLException, TimeoutException {
    long _ =
        Polling.until(
            () -> stored() == Quickstart.RECORDS,
            Duration.ofMillis(20),
            LIMIT,
            () -> "the hub has " + stored() + " records");
    Path database = database();
    narration.step("What the hub has stored: sqlite3 -readonly " + database);
    narration.query(database, RECORDS_SQL);
    narration.query(database, SOURCES_SQL);
    String key = text(database, "SELECT key FROM events WHERE seq = " + Quickstart.RECORDS);
    narration.step(
        "The receipt of the last record: curl -H 'DATANADHI-API-KEY: …' "
            + url()
            + "/v1/receipts/"
            + key);
    String receipt = receipt(key);
    narration.detail(receipt);
    narration.step("The source: echopost-hub sources --tenant-id " + TENANT + " --data " + data);
    narration.detail(HubProcess.run("sources", "--tenant-id", TENANT, "--data", data.toString()));

    boolean once =
        Narration.number(database, "SELECT count(DISTINCT key) FROM events") == Quickstart.RECORDS;
    boolean inOrder = Quickstart.isInOrder(Payloads.check(payloads(database)));
    boolean complete =
        Narration.number(
                database,
                "SELECT count(*) = 1 AND min(first) = 1 AND max(last) = "
                    + Quickstart.RECORDS
                    + " FROM sources")
            == 1;
    narration.row("stored by the hub", stored() + (once ? ", each once" : ", NOT EACH ONCE"));
    narration.row("in order", inOrder ? "yes, on each connection" : "NO");
    narration.row("source", complete ? "complete, without a gap" : "NOT COMPLETE");
    int exit = stop();
    narration.row("hub's exit status", Integer.toString(exit));
    return once && inOrder && complete && receipt.contains("\"" + key + "\"") && exit == 0;
  }

  private int stop() throws IOException, InterruptedException, TimeoutException {
    try (HubProcess running = process) {
      if (running == null) {
        throw new IllegalStateException("the hub was not started");
      }
      running.terminate();
      return running.awaitExit(LIMIT);
    }
  }

  private long stored() {
    try {
      return Narration.number(database(), "SELECT count(*) FROM events");
    } catch (SQLException unreadable) {
      throw new IllegalStateException(unreadable);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  private Path database() throws IOException {
    try (Stream<Path> files = Files.find(data.resolve("tenants"), 3, QuickstartHub::isDatabase)) {
      return files
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("no database of the tenant in " + data));
    }
  }

  private static boolean isDatabase(Path file, Object attributes) {
    return file.endsWith(Path.of(TENANT, "canonical.db"));
  }

  private static List<String> payloads(Path database) throws SQLException {
    List<String> payloads = new ArrayList<>();
    try (Connection connection = Narration.open(database);
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT log_data FROM events ORDER BY seq")) {
      while (rows.next()) {
        payloads.add(rows.getString(1));
      }
    }
    return payloads;
  }

  private static String text(Path database, String sql) throws SQLException {
    try (Connection connection = Narration.open(database);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? row.getString(1) : "";
    }
  }

  private String receipt(String key) throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(
              HttpRequest.newBuilder(URI.create(url() + "/v1/receipts/" + key))
                  .header("DATANADHI-API-KEY", apiKey)
                  .build(),
              HttpResponse.BodyHandlers.ofString())
          .body();
    }
  }
}
