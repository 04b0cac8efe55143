package com.datanadhi.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.cli.Cli;
import com.datanadhi.hub.hub.OfflineDirectory;
import com.datanadhi.hub.log.Append;
import com.datanadhi.hub.log.Durability;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.NewEntry;
import com.datanadhi.hub.log.segments.SegmentLog;
import com.datanadhi.hub.log.segments.SegmentSettings;
import com.datanadhi.hub.time.Clock;
import com.datanadhi.testkit.HubProcess;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What an operator sees of a running hub, and does about it.
class OperatorTest {
  private static final Duration WAIT = Duration.ofSeconds(60);

  @TempDir private Path home;

  private record Result(int status, String out) {}

  private static Result run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int status = new Cli((_, _, _) -> 0, OfflineDirectory::open, Map.of(), out, out).run(arguments);
    return new Result(status, out.toString(UTF_8));
  }

  private static String health(HubProcess hub) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpRequest request = HttpRequest.newBuilder(URI.create(hub.url() + "/health")).build();
      return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }
  }

  private static Path database(Path data, String tenant) throws Exception {
    try (Stream<Path> files = Files.walk(data.resolve("tenants"))) {
      return files
          .filter(file -> file.endsWith(Path.of(tenant, "canonical.db")))
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void a_control_database_that_cannot_be_written_needs_a_person() throws Exception {
    Path data = home.resolve("data");
    String[] status = {"status", "--data", data.toString()};
    try (HubProcess hub = HubProcess.spawn(HubOfClassPath.PROGRAM, data, Map.of())) {
      hub.awaitReady();
      HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      assertThat(run(status).status()).isZero();
      try (Connection foreign =
              DriverManager.getConnection("jdbc:sqlite:" + database(data, "_control"));
          Statement statement = foreign.createStatement()) {
        statement.execute("BEGIN IMMEDIATE");
        HubProcess.createKey(HubOfClassPath.PROGRAM, data, "late");

        Result degraded = run(status);
        assertThat(degraded.status()).as(degraded.out()).isEqualTo(1);
        assertThat(degraded.out())
            .contains("WARNING  the database of _control does not follow: ", "ready");
        assertThat(health(hub))
            .contains("degraded", "DIR/tenants/", "_control/canonical.db")
            .doesNotContain(home.toString());
        statement.execute("ROLLBACK");
      }
      await().atMost(WAIT).until(() -> run(status).status() == 0);
      assertThat(health(hub)).contains("healthy", "\"reasons\":[]");
    }
  }

  @Test
  void a_tenant_with_a_poison_record_goes_on_when_it_is_skipped() throws Exception {
    Path data = home.resolve("data");
    String apiKey;
    try (HubProcess hub = HubProcess.spawn(HubOfClassPath.PROGRAM, data, Map.of())) {
      hub.awaitReady();
      apiKey = HubProcess.createKey(HubOfClassPath.PROGRAM, data, "acme");
      assertThat(HubOfClassPath.post(hub, apiKey).statusCode()).isEqualTo(200);
      hub.kill();
    }
    String position;
    try (SegmentLog log =
        SegmentLog.open(data.resolve("log"), SegmentSettings.defaults(), Clock.system())) {
      // Field 1 is a version that this program does not know; the tenant is in field 4.
      byte[] newer = {0x08, 0x63, 0x22, 0x06, 0x0a, 0x04, 'a', 'c', 'm', 'e'};
      Append.Outcome stored =
          ((Append.Accepted)
                  log.append("events-0", List.of(new NewEntry(1, 0, newer)), Durability.FSYNC))
              .await();
      position = LogEntry.position(log.epoch(), "events-0", ((Append.Stored) stored).firstOffset());
    }
    try (HubProcess hub = HubProcess.spawn(HubOfClassPath.PROGRAM, data, Map.of())) {
      hub.awaitReady();
      String[] status = {"status", "--data", data.toString()};
      String toSkip = "poison   acme at " + position + ": it has the version 99";
      await().atMost(WAIT).until(() -> run(status).out().contains(toSkip));
      assertThat(run(status).status()).isEqualTo(1);
      assertThat(run(status).out()).contains("skip --position " + position + " --reason TEXT");

      Result skipped =
          run("skip", "--data", data.toString(), "--position", position, "--reason", "too new");

      assertThat(skipped).isEqualTo(new Result(0, "The log record " + position + " is skipped.\n"));
      await().atMost(WAIT).until(() -> run(status).status() == 0);
      assertThat(run(status).out()).doesNotContain("poison", "parked");
      HttpResponse<String> next = HubOfClassPath.post(hub, apiKey);
      assertThat(next.headers().firstValue("Hub-Seq")).hasValue("2");
      try (Connection view = DriverManager.getConnection("jdbc:sqlite:" + database(data, "acme"));
          Statement statement = view.createStatement();
          ResultSet row = statement.executeQuery("SELECT position, reason FROM quarantine")) {
        assertThat(row.next()).isTrue();
        assertThat(row.getString(1)).isEqualTo(position);
        assertThat(row.getString(2)).isEqualTo("too new");
      }
    }
  }
}
