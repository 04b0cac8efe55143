package com.datanadhi.echopost.bench;

import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.Polling;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/// A packaged hub that runs.
///
/// @param apiKey of the tenant [#TENANT]
record RunningHub(HubProcess process, Path data, String apiKey, HttpClient client) {
  static final String TENANT = "acme";

  /// The flags of a hub that only receives and applies.
  static final String[] WITHOUT_BACKUPS = {"--archive", "off", "--snapshots", "off"};

  /// With fewer records in all, the archiver waits for its interval.
  private static final int RECORDS_OF_A_SEGMENT = 10_000;

  private static final Duration CATCH_UP = Duration.ofMinutes(5);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final Duration ARCHIVED = Duration.ofMinutes(30);

  /// Each look costs the hub about a millisecond of CPU time.
  private static final Duration POLL_ARCHIVE = Duration.ofMillis(200);

  /// The tenant's database.
  Path database() throws IOException {
    try (Stream<Path> files = Files.walk(data.resolve("tenants"))) {
      return files
          .filter(file -> file.endsWith(Path.of(TENANT, "canonical.db")))
          .findFirst()
          .orElseThrow();
    }
  }

  /// The value of a metric without labels or with one set of them.
  double metric(String name) {
    return get("/metrics")
        .lines()
        .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("the hub has no metric " + name));
  }

  /// The body of the answer to a GET with the tenant's API key.
  String get(String path) {
    return get(path, HttpResponse.BodyHandlers.ofString());
  }

  <T> T get(String path, HttpResponse.BodyHandler<T> body) {
    try {
      HttpResponse<T> response =
          client.send(
              HttpRequest.newBuilder(URI.create(process.url() + path))
                  .header("DATANADHI-API-KEY", apiKey)
                  .build(),
              body);
      if (response.statusCode() != 200) {
        throw new IllegalStateException(
            "GET " + path + ": " + response.statusCode() + " " + response.body());
      }
      return response.body();
    } catch (IOException failed) {
      throw new IllegalStateException("GET " + path + " failed: " + failed, failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", interrupted);
    }
  }

  /// Waits until everything that it has is applied.
  void awaitApplied() {
    long _ =
        Polling.until(
            () -> metric("hub_apply_lag_records") == 0,
            POLL,
            CATCH_UP,
            () -> "applying has not caught up");
  }

  /// Waits until the archiver has nothing to do but to wait for its interval.
  void awaitArchived() {
    awaitArchived(RECORDS_OF_A_SEGMENT);
  }

  /// Waits until fewer than `records` applied records are not archived.
  void awaitArchived(int records) {
    long _ =
        Polling.until(
            () -> metric("archive_lag_events") < records,
            POLL_ARCHIVE,
            ARCHIVED,
            () -> "the archive has not caught up");
  }

  /// The last seq that is applied.
  long seq() throws IOException, SQLException {
    try (Connection connection =
            DriverManager.getConnection("jdbc:sqlite:file:" + database() + "?mode=ro");
        Statement statement = connection.createStatement();
        ResultSet state = statement.executeQuery("SELECT seq FROM state")) {
      return state.getLong(1);
    }
  }

  /// The files of the tenant's databases.
  List<Path> databases() throws IOException {
    Path canonical = database();
    return List.of(canonical, canonical.resolveSibling("mailbox.db"));
  }

  /// A load on it.
  LoadLoop load(List<? extends LoadLoop.Conversation> requests) throws IOException {
    return new LoadLoop(process.port(), requests);
  }
}
