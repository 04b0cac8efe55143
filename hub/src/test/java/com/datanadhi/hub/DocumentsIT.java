package com.datanadhi.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.testkit.HubProcess;
import com.datanadhi.testkit.PackagedProgram;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What the documents of the hub show, tried on a hub.
///
/// A document's commands are the lines that begin with four spaces and `$ `; what follows,
/// indented, is the output. They run one after the other in one shell, beside a hub of their own.
class DocumentsIT {
  private static final Path DOCUMENTS = Path.of("../docs/hub");
  private static final String COMMAND = "    $ ";
  private static final String MARK = "@@end-of-output@@";

  /// What differs in each run: a pattern, and what stands for it.
  private static final String[][] VARYING = {
    {"\\r", ""},
    {"^Date: .*", "Date: D"},
    {"\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z", "T"},
    {"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "U"},
    {"[0-9a-f]{8}/(events-0|control):", "E/$1:"},
    {"^echopost-hub \\S+ on .*", "echopost-hub V on DIR"},
    {"process \\d+, up \\w+", "process P, up S"},
    {"\\d+ open database files", "N open database files"},
    {"^(Key )?\\w{10}( of|  acme)", "$1K$2"},
    {"\\b\\d+ms\\b", "L"},
    {"\"applier_lag_ms\":\\d+", "L"},
    {"\\d+(\\.\\d+)? ([KMG]i)?B\\b", "S"},
    {" +", " "},
    {" $", ""},
  };

  @TempDir Path directory;
  private HubProcess hub;
  private Path python = Path.of("");

  private record Step(String command, List<String> output) {}

  @BeforeEach
  void start() throws Exception {
    python = Path.of("../target/venv/bin/python").toAbsolutePath().normalize();
    hub = HubProcess.spawn(directory.resolve("hub-data"));
    hub.awaitReady();
  }

  @AfterEach
  void stop() throws Exception {
    hub.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"API.md", "OPERATING.md", "METRICS.md"})
  void a_documents_commands_give_the_output_that_it_shows(String name) throws Exception {
    for (String tool : List.of("curl", "sqlite3")) {
      assumeTrue(has(tool), () -> "skipped: " + tool + " is not installed");
    }
    List<Step> steps = steps(Files.readAllLines(DOCUMENTS.resolve(name)));
    StringBuilder script = new StringBuilder("exec 2>&1\n");
    for (Step step : steps) {
      script.append(step.command.startsWith("echopost-hub serve") ? ":" : live(step.command));
      script.append("\nprintf '\\n%s\\n' '").append(MARK).append("'\n");
    }
    Path program = Files.createDirectory(directory.resolve("bin")).resolve("echopost-hub");
    Files.writeString(program, "#!/bin/sh\nexec '" + PackagedProgram.hub() + "' \"$@\"\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    String[] outputs = run(Map.of(), "bash", "-c", script.toString()).split(MARK + "\n", -1);

    assertThat(outputs).hasSize(steps.size() + 1);
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      List<String> actual = outputs[i].lines().map(DocumentsIT::comparable).toList();
      assertThat(withoutBlankEnd(actual))
          .as(step.command)
          .isEqualTo(withoutBlankEnd(step.output.stream().map(DocumentsIT::comparable).toList()));
    }
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
  void the_example_in_python_runs() throws Exception {
    assumeTrue(
        Files.isExecutable(python),
        "skipped: no Python with grpcio in target/venv: run scripts/test");
    String example =
        Files.readAllLines(DOCUMENTS.resolve("API.md")).stream()
            .dropWhile(line -> !line.equals("```python"))
            .skip(1)
            .takeWhile(line -> !line.equals("```"))
            .collect(Collectors.joining("\n"));
    String proto = Path.of("../proto").toAbsolutePath().normalize().toString();
    String packages =
        run(
                Map.of(),
                python.toString(),
                "-c",
                "import sysconfig; print(sysconfig.get_path('purelib'))")
            .strip();
    assertThat(
            run(
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
            run(Map.of("KEY", key, "HUB_GRPC", hub.grpcTarget()), python.toString(), "-c", example))
        .isEqualTo(
            """
            order-1007 fsync 1
            1 order-1008
            2 order-1009
            3 order-1010
            1 order-1007 b'{"order":1007}'
            """);
  }

  private static List<Step> steps(List<String> lines) {
    List<Step> steps = new ArrayList<>();
    @Nullable Step step = null;
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      boolean isBlank = line.isEmpty();
      if (line.startsWith(COMMAND)) {
        step = new Step(line.substring(COMMAND.length()), new ArrayList<>());
        steps.add(step);
      } else if (step != null && (isBlank || line.startsWith("    "))) {
        step.output.add(isBlank ? "" : line.substring(4));
      } else {
        step = null;
      }
    }
    return steps;
  }

  private String live(String command) {
    return command.replace("http://127.0.0.1:5000", hub.url());
  }

  private static String comparable(String line) {
    String text = line;
    for (String[] pattern : VARYING) {
      text = text.replaceAll(pattern[0], pattern[1]);
    }
    return text;
  }

  private static List<String> withoutBlankEnd(List<String> lines) {
    int end = lines.size();
    while (end > 0 && lines.get(end - 1).isEmpty()) {
      end--;
    }
    return lines.subList(0, end);
  }

  private boolean has(String tool) throws Exception {
    return run(Map.of(), "sh", "-c", "command -v " + tool + " || true").contains(tool);
  }

  private static String send(HttpRequest.Builder request) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(request.build(), BodyHandlers.ofString()).body();
    }
  }

  private String run(Map<String, String> environment, String... command) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
    builder.environment().putAll(environment);
    builder
        .environment()
        .merge("PATH", directory.resolve("bin").toString(), (path, bin) -> bin + ":" + path);
    builder
        .environment()
        .putIfAbsent(PackagedProgram.RUNTIME_DIR, PackagedProgram.runtimeDirectory().toString());
    Process process = builder.start();
    process.getOutputStream().close();
    return new String(process.getInputStream().readAllBytes(), UTF_8);
  }
}
