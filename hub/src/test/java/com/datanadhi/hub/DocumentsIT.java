package com.datanadhi.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.testkit.HubProcess;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What the documents of the hub show, tried on a hub of their own.
class DocumentsIT {
  private static final Path DOCUMENTS = Path.of("../docs/hub");
  @TempDir Path directory;
  private HubProcess hub;
  private DocumentShell shell;
  private Path python = Path.of("");

  @BeforeEach
  void start() throws Exception {
    python = Path.of("../target/venv/bin/python").toAbsolutePath().normalize();
    hub = HubProcess.spawn(directory.resolve("hub-data"));
    hub.awaitReady();
    shell = new DocumentShell(directory);
    shell.replace("http://127.0.0.1:5000", hub.url());
    shell.replace("/srv/hub", directory.toString());
  }

  @AfterEach
  void stop() throws Exception {
    hub.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"API.md", "OPERATING.md", "METRICS.md"})
  void a_documents_commands_give_the_output_that_it_shows(String name) throws Exception {
    for (String tool : List.of("curl", "sqlite3")) {
      assumeTrue(shell.has(tool), () -> "skipped: " + tool + " is not installed");
    }
    shell.check(
        DOCUMENTS.resolve(name), Map.of(), command -> command.startsWith("echopost-hub serve"));
  }

  @Test
  void the_table_of_metrics_is_what_the_hub_answers() throws Exception {
    String key = HubProcess.createKey(directory.resolve("hub-data"), "acme");
    HttpRequest.Builder log =
        HttpRequest.newBuilder(URI.create(hub.url() + "/log"))
            .header("DATANADHI-API-KEY", key)
            .header("Content-Type", "application/json");
    assertThat(send(log.POST(HttpRequest.BodyPublishers.ofString("{\"log_data\":1}"))))
        .contains("pipelines");
    String text = send(HttpRequest.newBuilder(URI.create(hub.url() + "/metrics")));
    Map<String, String> answered = new TreeMap<>();
    Matcher family =
        Pattern.compile("^# HELP (\\S+) (.*)\n# TYPE \\S+ (\\S+)$", Pattern.MULTILINE)
            .matcher(text);
    while (family.find()) {
      answered.put(family.group(1), family.group(3) + " | " + family.group(2));
    }
    Map<String, String> documented = new TreeMap<>();
    Matcher row =
        Pattern.compile("^\\| `(\\w+)` \\| (\\w+) \\| .*\\| (.*) \\|$", Pattern.MULTILINE)
            .matcher(Files.readString(DOCUMENTS.resolve("METRICS.md")));
    while (row.find()) {
      documented.put(row.group(1), row.group(2) + " | " + row.group(3));
    }
    // It has no sample before the first refusal.
    documented.remove("hub_refused_transactions_total");
    answered.remove("hub_refused_transactions_total");

    assertThat(answered).hasSizeGreaterThan(30);
    assertThat(documented).isEqualTo(answered);
  }

  @Test
  void promtool_accepts_the_metrics_and_the_alert_rules() throws Exception {
    assumeTrue(shell.has("promtool"), "skipped: promtool is not installed: scripts/install-tools");
    Files.writeString(
        directory.resolve("metrics"),
        send(HttpRequest.newBuilder(URI.create(hub.url() + "/metrics"))));
    Path rules = Path.of("../packaging/prometheus").toAbsolutePath().normalize();

    // Its name was given, and is not that of a base unit.
    assertThat(shell.run(Map.of(), "sh", "-c", "promtool check metrics < metrics 2>&1").lines())
        .filteredOn(line -> !line.startsWith("snapshot_age_hours use base unit"))
        .isEmpty();
    assertThat(shell.run(Map.of(), "promtool", "check", "rules", rules + "/alerts.yml"))
        .contains("SUCCESS");
    assertThat(shell.run(Map.of(), "promtool", "test", "rules", rules + "/alerts-test.yml"))
        .contains("SUCCESS")
        .doesNotContain("FAILED");
  }

  @Test
  void each_alert_rule_uses_metrics_that_the_document_has_and_is_tested() throws Exception {
    String rules = Files.readString(Path.of("../packaging/prometheus/alerts.yml"));
    String tests = Files.readString(Path.of("../packaging/prometheus/alerts-test.yml"));
    String metrics = Files.readString(DOCUMENTS.resolve("METRICS.md"));
    Matcher expression =
        Pattern.compile("- alert: (\\w+)\n(?: +#.*\n)? +expr: (.*)").matcher(rules);
    int count = 0;
    while (expression.find()) {
      count++;
      assertThat(tests).contains("  - name: " + expression.group(1) + " fires");
      Matcher name =
          Pattern.compile("\\b(?:hub_|process_|wal_|applier_|archive_|snapshot_)\\w+")
              .matcher(expression.group(2));
      while (name.find()) {
        assertThat(metrics).contains("| `" + name.group() + "` |");
      }
    }

    assertThat(count).isEqualTo(rules.split("- alert: ", -1).length - 1).isGreaterThan(10);
  }

  @Test
  void the_example_in_python_runs() throws Exception {
    assumeTrue(
        Files.isExecutable(python),
        "skipped: no Python with grpcio in target/venv: run scripts/test");
    String example = DocumentShell.block(DOCUMENTS.resolve("API.md"), "```python");
    String proto = Path.of("../proto").toAbsolutePath().normalize().toString();
    String packages =
        shell
            .run(
                Map.of(),
                python.toString(),
                "-c",
                "import sysconfig; print(sysconfig.get_path('purelib'))")
            .strip();
    assertThat(
            shell.run(
                Map.of(),
                python.toString(),
                "-m",
                "grpc_tools.protoc",
                "-I" + proto,
                "-I" + packages,
                "--python_out=.",
                "--grpc_python_out=.",
                proto + "/hub.proto"))
        .isEmpty();
    String key = HubProcess.createKey(directory.resolve("hub-data"), "acme");
    assertThat(
            shell.run(
                Map.of("KEY", key, "HUB_GRPC", hub.grpcTarget()), python.toString(), "-c", example))
        .isEqualTo(
            """
            order-1007 fsync 1
            1 order-1008
            2 order-1009
            3 order-1010
            1 order-1007 b'{"order":1007}'
            """);
  }

  private static String send(HttpRequest.Builder request) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request.build(), BodyHandlers.ofString()).body();
    }
  }
}
