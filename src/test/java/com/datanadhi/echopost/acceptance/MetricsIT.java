package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.proto.LogAgentGrpc;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.Formats;
import com.datanadhi.echopost.testkit.Tool;
import com.datanadhi.testkit.Processes;
import com.datanadhi.testkit.StubServer;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The metrics of the packaged agent, and the ways to read them.
class MetricsIT extends AcceptanceTest {
  private static final int SENT = 1_000;
  private static final int SIZE = 330;
  private static final Pattern SAMPLE = Pattern.compile("(\\w+)(?:\\{(.*)})? (\\S+)");
  private static final Pattern PORT = Pattern.compile("127\\.0\\.0\\.1:(\\d+)");

  private String metrics() throws Exception {
    ProgramResult ran = runCommand("metrics");
    assertThat(ran.err()).isEmpty();
    assertThat(ran.exit()).isZero();
    Formats.assertPrometheus(ran.out());
    return ran.out();
  }

  /// The value of each sample by its name and its labels, without the label `directory`.
  static Map<String, Double> samples(String text) {
    Map<String, Double> samples = new LinkedHashMap<>();
    for (String line : text.lines().filter(line -> !line.startsWith("#")).toList()) {
      Matcher matcher = SAMPLE.matcher(line);
      assertThat(matcher.matches()).as(line).isTrue();
      String labels = matcher.group(2).replaceFirst("directory=\"[^\"]*\",?", "");
      String name = matcher.group(1) + (labels.isEmpty() ? "" : "{" + labels + "}");
      assertThat(samples.put(name, Double.valueOf(matcher.group(3)))).as(name).isNull();
    }
    return samples;
  }

  private static String last(AgentProcess agent) throws IOException {
    Path last = agent.lastMetrics();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(last)))
        .isEqualTo("rw-------");
    return Files.readString(last);
  }

  private void refused(AgentProcess agent, String payload) {
    ManagedChannel channel = client(agent).newChannel();
    use(channel::shutdownNow);
    try {
      var _ =
          LogAgentGrpc.newBlockingStub(channel)
              .sendLog(LogRequest.newBuilder().setJsonData(payload).build());
      throw new AssertionError("accepted: " + payload.length() + " characters");
    } catch (StatusRuntimeException expected) {
      // It was refused.
    }
  }

  @Test
  void accepted_delivered_and_refused_records_are_counted_from_the_start_to_the_end()
      throws Exception {
    AgentProcess agent = agent();
    assertThat(samples(metrics()))
        .containsEntry("echopost_up", 1.0)
        .containsEntry("echopost_accepted_records_total", 0.0)
        .containsEntry("echopost_lag_seconds", 0.0)
        .containsEntry("echopost_append_latency_p99_seconds", Double.NaN);

    send(agent, load(SENT, 2));
    refused(agent, "no JSON");
    refused(agent, "");
    refused(agent, "[" + " ".repeat(4 << 20) + "]");
    refused(agent, "[" + " ".repeat(5 << 20) + "]");

    Map<String, Double> before = samples(metrics());
    assertThat(before)
        .containsEntry("echopost_accepted_records_total", (double) SENT)
        .containsEntry("echopost_accepted_bytes_total", (double) SENT * SIZE)
        .containsEntry("echopost_append_latency_seconds_count", (double) SENT)
        .containsEntry("echopost_commit_batch_records_sum", (double) SENT)
        .containsEntry("echopost_refused_records_total{reason=\"invalid\"}", 2.0)
        .containsEntry("echopost_refused_records_total{reason=\"too_large\"}", 2.0)
        .containsEntry("echopost_refused_records_total{reason=\"disk_full\"}", 0.0)
        .containsEntry("echopost_pending_records", (double) SENT)
        .containsEntry("echopost_append_queue_records", 0.0)
        .containsEntry("echopost_delivered_records_total", 0.0)
        .containsEntry("echopost_server_state{state=\"down\"}", 1.0)
        .containsEntry("echopost_server_state{state=\"up\"}", 0.0)
        .containsEntry("echopost_storage_state{state=\"ok\"}", 1.0);
    assertThat(before.get("echopost_lag_seconds")).isPositive().isLessThan(60);
    assertThat(before.get("echopost_append_latency_p99_seconds")).isPositive().isLessThan(60);
    assertThat(before.get("echopost_ingest_rate_records_per_second")).isPositive();
    assertThat(before.get("echopost_commit_duration_seconds_count"))
        .isGreaterThanOrEqualTo(before.get("echopost_commit_batch_records_count"));
    for (String memory :
        List.of("jvm_heap_used", "jvm_heap_committed", "jvm_direct_used", "resident_memory")) {
      assertThat(before.get("echopost_" + memory + "_bytes")).as(memory).isPositive();
    }
    assertThat(before.get("echopost_disk_free_bytes")).isPositive();

    AtomicInteger deliveries = new AtomicInteger();
    StubServer.Behaviour no = StubServer.Behaviour.status(422, "no");
    server.onDelivery((request, out) ->
        (deliveries.getAndIncrement() == 0 ? no : StubServer.OK).respond(request, out));
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isEqualTo(5);

    Formats.assertPrometheus(last(agent));
    Map<String, Double> after = samples(last(agent));
    assertThat(after)
        .containsEntry("echopost_up", 0.0)
        .containsEntry("echopost_accepted_records_total", (double) SENT)
        .containsEntry("echopost_delivered_records_total", SENT - 1.0)
        .containsEntry("echopost_delivered_bytes_total", (SENT - 1.0) * SIZE)
        .containsEntry("echopost_rejected_records_total{status=\"422\"}", 1.0)
        .containsEntry("echopost_rejected_table_records", 1.0)
        .containsEntry("echopost_delivery_duration_seconds_count", (double) SENT)
        .containsEntry("echopost_pending_records", 0.0)
        .containsEntry("echopost_lag_seconds", 0.0)
        .containsEntry("echopost_server_state{state=\"up\"}", 1.0);
    assertThat(after.get("echopost_replay_rate_records_per_second")).isPositive();
  }

  @Test
  void without_an_agent_the_metrics_come_from_the_buffer() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(SENT, 1));
    agent.terminate();
    assertThat(agent.awaitExit(SOON)).isEqualTo(4);

    // The metrics that the agent left behind.
    assertThat(samples(last(agent)))
        .containsEntry("echopost_up", 0.0)
        .containsEntry("echopost_pending_records", (double) SENT)
        .hasEntrySatisfying("echopost_lag_seconds", lag -> assertThat(lag).isPositive());
    // The metrics of the buffer now.
    assertThat(samples(metrics()))
        .containsEntry("echopost_up", 0.0)
        .containsEntry("echopost_pending_records", (double) SENT)
        .containsEntry("echopost_disk_shortage_bytes", 0.0)
        .doesNotContainKey("echopost_accepted_records_total")
        .hasEntrySatisfying("echopost_lag_seconds", lag -> assertThat(lag).isPositive());
    assertThat(
            awaitEnd(startCommand(Files.createDirectory(directory.resolve("empty")), "metrics"))
                .exit())
        .isEqualTo(2);
  }

  @Test
  void a_strict_reader_accepts_openmetrics_with_and_without_an_agent() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(10, 1));
    assertThat(Formats.assertOpenMetrics(runCommand("metrics", "-openmetrics").out()))
        .contains(
            "echopost_accepted_records counter\n", "echopost_append_latency_seconds histogram\n");
    agent.terminate();
    assertThat(agent.awaitExit(SOON)).isEqualTo(4);
    assertThat(Formats.assertOpenMetrics(runCommand("metrics", "-openmetrics").out()))
        .contains("echopost_up gauge\n", "echopost_lag_seconds gauge\n");
  }

  @Test
  void node_exporter_reads_the_textfiles_of_several_agents() throws Exception {
    Path collected = Files.createDirectory(directory.resolve("collected"));
    List<AgentProcess> agents = new ArrayList<>();
    for (String name : List.of("one", "two")) {
      Path own = Files.createDirectory(directory.resolve(name));
      agents.add(
          use(
              AgentProcess.spawn(
                  own, server.url(), Map.of("ECHOPOST_TEXTFILE_DIR", collected.toString()))));
    }
    await().atMost(SOON).until(() -> promFiles(collected).size() == 2);
    agents.getFirst().terminate();
    assertThat(agents.getFirst().awaitExit(SOON)).isZero();

    List<Path> left = promFiles(collected);
    assertThat(left).hasSize(2);
    for (Path file : left) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
          .isEqualTo("rw-r--r--");
      Formats.assertPrometheus(Files.readString(file));
    }
    String seen = scrapeNodeExporter(collected);
    assertThat(seen)
        .contains("node_textfile_scrape_error 0")
        .contains("echopost_up{directory=\"" + directory.resolve("one") + "\"} 0")
        .contains("echopost_up{directory=\"" + directory.resolve("two") + "\"} 1");
  }

  private static List<Path> promFiles(Path in) throws IOException {
    try (Stream<Path> files = Files.list(in)) {
      return files.filter(file -> file.toString().endsWith(".prom")).toList();
    }
  }

  private String scrapeNodeExporter(Path collected) throws Exception {
    Path log = directory.resolve("node_exporter.log");
    Process exporter =
        new ProcessBuilder(
                Tool.named("node_exporter").path().toString(),
                "--collector.disable-defaults",
                "--collector.textfile",
                "--collector.textfile.directory=" + collected,
                "--web.listen-address=127.0.0.1:0")
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    use(() -> Processes.kill(exporter));
    await().atMost(SOON).until(() -> port(log) != 0);
    try (HttpClient http = HttpClient.newHttpClient()) {
      return http.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port(log) + "/metrics"))
                  .build(),
              HttpResponse.BodyHandlers.ofString())
          .body();
    }
  }

  private static int port(Path log) throws IOException {
    Matcher matcher = PORT.matcher(Files.readString(log));
    int port = 0;
    while (matcher.find()) {
      port = Integer.parseInt(matcher.group(1));
    }
    return port;
  }

  @Test
  void a_missing_textfile_directory_is_logged_once_and_does_not_disturb_the_agent()
      throws Exception {
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                directory,
                server.url(),
                Map.of("ECHOPOST_TEXTFILE_DIR", directory.resolve("missing").toString())));
    agent.awaitReady();
    await().atMost(SOON).until(() -> agent.hasLogged(EventNames.TEXTFILE_NOT_WRITTEN));
    send(agent, load(10, 1));
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(agent.logged(EventNames.TEXTFILE_NOT_WRITTEN)).isEqualTo(1);
    assertThat(directory.resolve("missing")).doesNotExist();
  }

  /// A row of the table in docs/METRICS.md.
  private record Documented(String name, String type, String labels, String meaning) {}

  @Test
  void the_documentation_names_every_metric_and_no_other() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(1, 1));
    server.onDelivery(StubServer.Behaviour.status(422, "no"));
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isEqualTo(5);
    List<Documented> documented =
        Files.readAllLines(Path.of("docs/METRICS.md")).stream()
            .filter(line -> line.startsWith("| `echopost_"))
            .map(line -> line.split("\\|", -1))
            .map(cells ->
                new Documented(
                    cells[1].replace("`", "").strip(),
                    cells[2].strip(),
                    cells[3].replace("`", "").strip(),
                    cells[4].strip()))
            .toList();
    assertThat(described(last(agent))).isEqualTo(documented);
  }

  @Test
  void the_alert_rules_of_the_documentation_use_existing_metrics() throws Exception {
    String page = Files.readString(Path.of("docs/METRICS.md"));
    String rules = page.split("```yaml\n", 2)[1].split("```", 2)[0];
    Path file = Files.writeString(directory.resolve("rules.yaml"), rules);
    Tool.Result ran = Tool.named("promtool").run("", "check", "rules", file.toString());
    assertThat(ran.exitStatus()).as(ran.output()).isZero();
    Pattern.compile("echopost_\\w+")
        .matcher(rules)
        .results()
        .map(used -> used.group().replace("_seconds_bucket", "_seconds"))
        .forEach(used -> assertThat(page).contains("| `" + used + "` |"));
  }

  private static List<Documented> described(String text) {
    List<Documented> families = new ArrayList<>();
    List<String> lines = text.lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).startsWith("# HELP ")) {
        String[] help = lines.get(i).split(" ", 4);
        String type = lines.get(i + 1).split(" ", 4)[3];
        String labels =
            Pattern.compile("(\\w+)=\"")
                .matcher(i + 2 < lines.size() ? lines.get(i + 2) : "")
                .results()
                .map(label -> label.group(1))
                .filter(label -> !label.equals("directory") && !label.equals("le"))
                .reduce((a, b) -> a + ", " + b)
                .orElse("");
        families.add(new Documented(help[2], type, labels, help[3]));
      }
    }
    return families;
  }
}
