package com.datanadhi.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.hub.cli.Cli;
import com.datanadhi.hub.hub.OfflineDirectory;
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
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a running hub says about itself: to its operator by `status`, to anybody by `/health`.
class StatusTest {
  @TempDir private Path home;

  private record Result(int status, String out) {}

  private static Result run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int status = new Cli((_, _) -> 0, OfflineDirectory::open, Map.of(), out, out).run(arguments);
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
        assertThat(degraded.out()).contains("WARNING  the database of _control does not follow: ", "ready");
        assertThat(health(hub))
            .contains("degraded", "DIR/tenants/", "_control/canonical.db")
            .doesNotContain(home.toString());
        statement.execute("ROLLBACK");
      }
      await().atMost(Duration.ofSeconds(30)).until(() -> run(status).status() == 0);
      assertThat(health(hub)).contains("healthy", "\"reasons\":[]");
    }
  }
}
