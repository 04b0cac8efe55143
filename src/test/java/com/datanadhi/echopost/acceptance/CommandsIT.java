package com.datanadhi.echopost.acceptance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.buffer.Sqlite;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Processes;
import com.datanadhi.testkit.StubServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The other commands, with the packaged program: beside a running agent, without one, and when the
/// agent or the command is killed.
class CommandsIT extends AcceptanceTest {
  private static final int MANY = 30_000;
  private static final JsonMapper JSON = new JsonMapper();

  @TempDir Path elsewhere;

  private JsonNode json(String... words) throws IOException, InterruptedException {
    return JSON.readTree(runCommand(words).out());
  }

  private void createPendingRecords(int count) throws Exception {
    AgentProcess agent = agent();
    send(agent, load(count, 1));
    agent.terminate();
    assertThat(agent.awaitExit(SOON)).isEqualTo(4);
  }

  /// Exports to a file, since the test would not read a pipe before it is full.
  private Path exportToFile(Path source) throws Exception {
    Path file = elsewhere.resolve("records.jsonl");
    Process export =
        new ProcessBuilder(
                PackagedProgram.path().toString(), "export", "-datanadhi", source.toString())
            .redirectOutput(file.toFile())
            .start();
    use(() -> Processes.kill(export));
    ProgramResult ran = awaitEnd(export);
    assertThat(ran.exit()).isZero();
    assertThat(ran.err()).containsPattern("echopost: omitted the API keys of \\d+ records\n\\z");
    assertThat(file).content().doesNotContain("key-0");
    return file;
  }

  @Test
  void the_status_shows_the_state_of_a_running_agent_and_how_the_last_run_ended() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(20, 1));
    await()
        .atMost(SOON)
        .until(() -> json("status", "-json").get("server").get("state").asString().equals("down"));

    JsonNode down = json("status", "-json");
    assertThat(down.get("agent").get("state").asString()).isEqualTo("running");
    assertThat(down.get("agent").get("pid").asLong()).isEqualTo(agent.agent().pid());
    assertThat(down.get("server").get("url").asString()).isEqualTo(server.url());
    assertThat(down.get("pending").get("records").asInt()).isEqualTo(20);
    assertThat(down.get("rates").get("in_per_second").asDouble()).isPositive();
    assertThat(down.has("drained_in_seconds")).isFalse();
    ProgramResult running = runCommand("status");
    assertThat(running.exit()).isZero();
    assertThat(running.out())
        .contains("agent     running, pid " + agent.agent().pid() + ", since ")
        .contains(
            "server    down since ",
            "drained   not until the server is up",
            "ledger    accepted 20 =")
        .doesNotContain("\u001b", "agent-key");
    assertThat(runCommand("verify").out()).endsWith("20 records checked: no problem found\n");
    assertThat(runCommand("peek", "-n", "3").out()).hasLineCount(4).doesNotContain("key-");
    ProgramResult logs = runCommand("logs");
    assertThat(logs.out()).contains("  INFO     agent_started  version=");
    assertThat(logs.out() + logs.err()).doesNotContain("agent-key");

    agent.kill();
    ProgramResult killed = runCommand("status");
    assertThat(killed.exit()).isEqualTo(4);
    assertThat(killed.out())
        .contains("agent     not running; the last run (session-")
        .contains("was killed");

    AgentProcess next = agent();
    server.comeUp();
    assertThat(next.awaitExit(SOON)).isZero();
    ProgramResult drained = runCommand("status");
    assertThat(drained.exit()).isZero();
    assertThat(drained.out())
        .contains("with status 0: drained", "pending   nothing", "drained   now");
  }

  @Test
  void colours_are_used_on_a_terminal_unless_the_environment_disables_them() throws Exception {
    createPendingRecords(2);
    for (String setting : List.of("NO_COLOR=", "NO_COLOR=1", "TERM=dumb")) {
      Process script =
          new ProcessBuilder(
                  "script",
                  "-qec",
                  "env TERM=xterm "
                      + setting
                      + " "
                      + PackagedProgram.path()
                      + " status -datanadhi "
                      + directory,
                  "/dev/null")
              .redirectErrorStream(true)
              .start();
      use(() -> Processes.kill(script));
      script.getOutputStream().close();
      ProgramResult ran = awaitEnd(script);
      assertThat(ran.exit()).isEqualTo(4);
      assertThat(ran.out().contains("\u001b[31mnot running\u001b[0m"))
          .isEqualTo(setting.equals("NO_COLOR="));
    }
    assertThat(runCommand("status").out()).doesNotContain("\u001b");
  }

  @Test
  void a_slow_reader_of_an_export_blocks_neither_the_agent_nor_its_checkpoints() throws Exception {
    AgentProcess agent = agent();
    send(agent, load(MANY, 4));
    Process export = startCommand(directory, "export");
    BufferedReader reader = export.inputReader();
    String first = reader.readLine();
    // The export is blocked now, since the pipe is full.
    send(agent, load(1_000, 1));
    try (Sqlite sqlite = new Sqlite(directory)) {
      // The first column is 1, busy, while a reader blocks the checkpoint.
      await().atMost(SOON).until(() -> sqlite.query("PRAGMA wal_checkpoint(TRUNCATE)").equals("0"));
    }
    Set<String> ids = new HashSet<>(Set.of(JSON.readTree(first).get("id").asString()));
    reader.lines().forEach(line -> ids.add(JSON.readTree(line).get("id").asString()));
    assertThat(export.waitFor()).isZero();
    assertThat(ids).hasSize(MANY);
  }

  @Test
  void a_reader_that_closes_the_pipe_is_no_failure() throws Exception {
    createPendingRecords(MANY);
    Process export = startCommand(directory, "export");
    try (BufferedReader reader = export.inputReader()) {
      assertThat(reader.readLine()).startsWith("{\"id\":1,");
    }
    assertThat(export.waitFor()).isZero();
    assertThat(export.errorReader().lines()).isEmpty();
    for (String words :
        List.of(
            "export -gzip",
            "peek -n 20000 -json",
            "peek -n 20000",
            "status -watch",
            "status -watch -json",
            "logs",
            "logs -f",
            "rejected -json",
            "verify -json",
            "metrics",
            "help export",
            "completion bash",
            "export -h",
            "-h")) {
      // The reader closes the pipe before the command writes.
      Process piped =
          new ProcessBuilder(
                  "bash",
                  "-c",
                  "set -o pipefail; \"$0\" "
                      + words
                      + (words.matches("help.*|completion.*|-h") ? "" : " -datanadhi \"$1\"")
                      + " | true",
                  PackagedProgram.path().toString(),
                  directory.toString())
              .start();
      use(() -> Processes.kill(piped));
      assertThat(awaitEnd(piped)).as(words).isEqualTo(new ProgramResult(0, "", ""));
    }
  }

  @Test
  void an_export_is_imported_elsewhere_by_the_running_agent_and_delivered_in_order_under_its_keys()
      throws Exception {
    AgentProcess first = agent();
    send(first, load(5_000, 1));
    first.terminate();
    assertThat(first.awaitExit(SOON)).isEqualTo(4);
    Path file = exportToFile(directory);
    AgentProcess other = use(AgentProcess.spawn(elsewhere, server.url()));
    other.awaitReady();

    ProgramResult ran = awaitEnd(startCommand(elsewhere, "import", file.toString()));

    assertThat(ran.exit()).as(ran.err()).isZero();
    assertThat(ran.out())
        .isEqualTo("5000 records imported; the agent delivers them when the server is up\n");
    assertThat(awaitEnd(startCommand(elsewhere, "import", file.toString())).out())
        .isEqualTo("5000 records skipped: already imported (-again imports them again)\n");
    server.comeUp();
    assertThat(other.awaitExit(SOON)).isZero();
    String source = query("SELECT substr(origin, 1, 36) FROM records WHERE id=1");
    assertThat(server.deliveries().stream().map(StubServer.Request::key))
        .hasSize(5_000)
        .startsWith(source + "-1", source + "-2")
        .endsWith(source + "-5000");
    assertInOrder(0, 5_000);
  }

  @Test
  void kill_9_of_an_import_and_of_the_agent_neither_loses_nor_duplicates_records()
      throws Exception {
    createPendingRecords(MANY);
    Path file = exportToFile(directory);
    for (int round = 0; round < 2; round++) {
      Process cut = startCommand(elsewhere, "import", file.toString());
      awaitImported(1 + round * 5_000);
      Processes.kill(cut);
      int _ = cut.waitFor();
    }
    AgentProcess agent = use(AgentProcess.spawn(elsewhere, server.url()));
    agent.awaitReady();
    Process last = startCommand(elsewhere, "import", file.toString());
    awaitImported(12_000);
    agent.kill();

    ProgramResult ran = awaitEnd(last);

    assertThat(ran.exit()).as(ran.err()).isZero();
    try (Sqlite sqlite = new Sqlite(elsewhere)) {
      assertThat(sqlite.query("SELECT count(*)||' '||count(DISTINCT origin) FROM records"))
          .isEqualTo(MANY + " " + MANY);
      assertThat(sqlite.query("SELECT accepted||' '||pending FROM ledger"))
          .isEqualTo(MANY + " " + MANY);
      assertThat(
              sqlite.query(
                  "SELECT count(*) FROM (SELECT json_extract(json_data,'$.seq') s,"
                      + " lag(json_extract(json_data,'$.seq')) OVER (ORDER BY id) b FROM records)"
                      + " WHERE s<=b"))
          .isEqualTo("0");
    }
  }

  private void awaitImported(int records) {
    await()
        // Each look takes a part of the processors that the import needs.
        .pollInterval(Duration.ofMillis(20))
        .atMost(SOON.multipliedBy(3))
        .ignoreExceptions()
        .until(() -> {
          try (Sqlite sqlite = new Sqlite(elsewhere)) {
            return Long.parseLong(sqlite.query("SELECT accepted FROM meta")) >= records;
          }
        });
  }

  @Test
  void logs_follow_into_the_session_of_the_next_agent() throws Exception {
    AgentProcess first = agent();
    Process follower = startCommand(directory, "logs", "-f");
    List<String> seen = java.util.Collections.synchronizedList(new ArrayList<>());
    Thread.ofVirtual().start(() -> follower.inputReader().lines().forEach(seen::add));
    await()
        .atMost(SOON)
        .until(() -> seen.stream().anyMatch(line -> line.contains(EventNames.AGENT_READY)));
    send(first, load(1, 1));
    first.terminate();
    assertThat(first.awaitExit(SOON)).isEqualTo(4);
    AgentProcess second = agent();
    await()
        .atMost(SOON)
        .until(() ->
            seen.stream().filter(line -> line.contains(EventNames.AGENT_READY)).count() == 2
                && seen.stream().anyMatch(line -> line.contains(EventNames.AGENT_STOPPED))
                && seen.stream().anyMatch(line -> line.startsWith("== session-")));
    assertThat(second.isAlive()).isTrue();
    assertThat(String.join("\n", seen)).doesNotContain("agent-key");
  }

  @Test
  void the_packaged_program_prints_a_working_completion_script() throws Exception {
    Path script = elsewhere.resolve("completion.bash");
    Files.writeString(script, run(UNPACKED, "completion", "bash").out(), UTF_8);
    Process bash =
        new ProcessBuilder(
                "bash",
                "--norc",
                "-c",
                "source \"$0\"; COMP_WORDS=(echopost st); COMP_CWORD=1; _echopost; echo"
                    + " \"${COMPREPLY[@]}\"",
                script.toString())
            .start();
    assertThat(awaitEnd(bash)).isEqualTo(new ProgramResult(0, "status\n", ""));
  }
}
