package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Processes;
import com.datanadhi.testkit.StubServer;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The guarantees of SECURITY.md that can be observed from outside the process.
class SecurityIT extends AcceptanceTest {
  private static final String AGENT_KEY = "agent-key";
  private static final String RECORD_KEY = "k3y-of-the-record";
  private static final String PAYLOAD = "p4yload-of-the-record";

  private Path agentDirectory;

  @BeforeEach
  void nameAgentDirectory() {
    agentDirectory = directory.resolve("own");
  }

  private AgentProcess startOn(Path datanadhi) throws IOException {
    AgentProcess agent = use(AgentProcess.spawn(datanadhi, server.url()));
    agent.awaitReady();
    return agent;
  }

  private static LogRequest requestWithKey(String json) {
    return LogRequest.newBuilder()
        .setJsonData(json)
        .addPipelines("p1")
        .setApiKey(RECORD_KEY)
        .build();
  }

  private static void crash(AgentProcess agent) {
    Processes.signal(agent.jvm().orElseThrow(), "SEGV");
    await().atMost(SOON).until(() -> agent.logged(EventNames.AGENT_READY) > 1);
  }

  private static List<Path> allFiles(Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      return all.toList();
    }
  }

  @Test
  void every_file_is_private_whatever_umask_the_caller_has() throws Exception {
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                List.of(
                    "sh", "-c", "umask 0; exec \"$0\" \"$@\"", PackagedProgram.path().toString()),
                agentDirectory,
                server.url()));
    agent.awaitReady();
    assertThat(client(agent).send(requestWithKey("1")).getSuccess()).isTrue();
    crash(agent);

    List<Path> all = allFiles(agentDirectory);

    assertThat(all).anyMatch(path -> path.endsWith("crash.log"));
    for (Path path : all) {
      Set<PosixFilePermission> mode =
          Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS);
      assertThat(PosixFilePermissions.toString(mode)).as(path.toString()).endsWith("------");
    }
  }

  @Test
  void no_file_is_ever_accessible_to_others() throws Exception {
    assumeThat(canTrace()).as("strace is installed and may trace").isTrue();
    // Unpacking, at the first start, sets the modes of the unpacked files.
    assertThat(run(UNPACKED, "-version").exit()).isZero();
    Path trace = directory.resolve("trace");
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                List.of(
                    "sh",
                    "-c",
                    "umask 0; exec strace -f -qq -s 300 -o \"$0\" -e"
                        + " trace=umask,chmod,fchmod,fchmodat \"$@\"",
                    trace.toString(),
                    PackagedProgram.path().toString()),
                agentDirectory,
                server.url()));
    agent.awaitReady();
    assertThat(client(agent).send(requestWithKey("1")).getSuccess()).isTrue();
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();

    List<String> calls = Files.readAllLines(trace);

    // Only the launcher sets the umask. The only mode that is changed is that of the socket, while
    // it
    // still has its private name.
    List<String> masks = calls.stream().filter(call -> call.contains("umask(")).toList();
    String launcher = calls.getFirst().split(" ", 2)[0];
    assertThat(masks).allMatch(call -> call.startsWith(launcher + " "));
    assertThat(masks.getLast()).contains("umask(077)");
    assertThat(calls.stream().filter(call -> call.contains("chmod")))
        .allMatch(call -> call.contains(".agent-private.sock\", 0600)"));
  }

  private static boolean canTrace() throws InterruptedException {
    try {
      return new ProcessBuilder("strace", "-o", "/dev/null", "true").start().waitFor() == 0;
    } catch (IOException noSuchProgram) {
      return false;
    }
  }

  @Test
  void neither_payloads_nor_keys_are_in_logs_crash_reports_output_or_the_jvms_arguments()
      throws Exception {
    AgentProcess agent = startOn(agentDirectory);
    var client = client(agent);
    assertThat(client.send(requestWithKey("\"" + PAYLOAD + "\"")).getSuccess()).isTrue();
    StatusRuntimeException refused =
        org.assertj.core.api.Assertions.catchThrowableOfType(
            StatusRuntimeException.class, () -> client.send(requestWithKey("{" + PAYLOAD)));
    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(refused.getMessage()).doesNotContain(PAYLOAD).doesNotContain(RECORD_KEY);
    ProcessHandle.Info info = agent.jvm().orElseThrow().info();
    assertThat(info.arguments().map(List::of).orElseThrow())
        .contains("-health-url")
        .doesNotContain("-api-key", AGENT_KEY);
    crash(agent);
    server.onDelivery(StubServer.Behaviour.status(422, PAYLOAD + RECORD_KEY + AGENT_KEY));
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isEqualTo(5);

    String texts = agent.output();
    for (Path path : allFiles(agentDirectory)) {
      if (Files.isRegularFile(path)
          && !String.valueOf(path.getFileName()).startsWith("buffer.db")) {
        texts += Files.readString(path, StandardCharsets.ISO_8859_1);
      }
    }

    assertThat(texts).contains(EventNames.RECORD_REJECTED).contains("SIGSEGV");
    assertThat(texts).doesNotContain(PAYLOAD);
    assertThat(texts).doesNotContain(RECORD_KEY);
    assertThat(texts).doesNotContain(AGENT_KEY);
  }

  @Test
  void the_agent_uses_the_key_from_the_api_key_argument() throws Exception {
    AgentProcess agent = startOn(agentDirectory);
    assertThat(client(agent).send(LogRequest.newBuilder().setJsonData("1").build()).getSuccess())
        .isTrue();

    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(server.deliveries().getFirst().headers())
        .containsEntry("datanadhi-api-key", AGENT_KEY);
  }

  @Test
  void an_api_key_argument_without_a_value_is_misuse_and_an_empty_value_is_no_key()
      throws Exception {
    ProgramResult without = run(UNPACKED, "-api-key");
    assertThat(without.exit()).isEqualTo(2);
    assertThat(without.err()).contains("-api-key needs a value").hasLineCount(1);

    Map<String, String> environment = new HashMap<>(UNPACKED);
    environment.put("DATANADHI_API_KEY", "from\nenvironment");
    ProgramResult empty = run(environment, "-api-key", "given", "-api-key=");
    assertThat(empty.exit()).isEqualTo(2);
    assertThat(empty.err()).contains("API key").doesNotContain("environment\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rwxrwxr-x", "rwxrwxrwx"})
  void the_agent_warns_of_a_directory_that_others_can_write_to(String mode) throws Exception {
    Files.createDirectory(agentDirectory);
    Files.setPosixFilePermissions(agentDirectory, PosixFilePermissions.fromString(mode));

    AgentProcess agent = startOn(agentDirectory);

    assertThat(agent.output())
        .contains(
            "\"level\":\"WARNING\",\"event\":\"" + EventNames.DIRECTORY_WRITABLE_BY_OTHERS + "\"")
        .contains("chmod go-w " + agentDirectory);
    assertThat(Files.getPosixFilePermissions(agentDirectory))
        .isEqualTo(PosixFilePermissions.fromString(mode));
  }

  @Test
  void the_agent_does_not_warn_of_a_private_directory() throws Exception {
    assertThat(startOn(agentDirectory).hasLogged(EventNames.DIRECTORY_WRITABLE_BY_OTHERS))
        .isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "agent.lock",
        "buffer.db",
        "buffer.db-wal",
        "buffer.db-journal",
        "buffer.db.new",
        "crash-1.log",
        "buffer.db.copy",
        "reserve"
      })
  void an_agent_does_not_follow_a_link_with_the_name_of_one_of_its_files(String name)
      throws Exception {
    Files.createDirectory(agentDirectory);
    Path victim = Files.writeString(directory.resolve("victim"), "precious");
    Files.setPosixFilePermissions(victim, PosixFilePermissions.fromString("rw-r--r--"));
    Files.createSymbolicLink(agentDirectory.resolve(name), victim);

    ProgramResult result = run(UNPACKED, "-datanadhi", agentDirectory.toString());

    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err())
        .contains(agentDirectory.resolve(name) + " is not a plain file")
        .hasLineCount(1);
    assertThat(victim).hasContent("precious");
    assertThat(Files.getPosixFilePermissions(victim))
        .isEqualTo(PosixFilePermissions.fromString("rw-r--r--"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "redrive -all", "import lines.jsonl", "salvage lost.db"})
  void a_command_does_not_follow_a_link_with_the_name_of_the_buffer(String command)
      throws Exception {
    Files.createDirectory(agentDirectory);
    Files.writeString(directory.resolve("lines.jsonl"), "");
    Files.writeString(directory.resolve("lost.db"), "");
    Path victim = Files.writeString(directory.resolve("victim"), "precious");
    Files.createSymbolicLink(agentDirectory.resolve("buffer.db"), victim);

    ProgramResult result = awaitEnd(startCommand(agentDirectory, command.split(" ")));

    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err())
        .contains(agentDirectory.resolve("buffer.db") + " is not a plain file")
        .hasLineCount(1);
    assertThat(victim).hasContent("precious");
    assertThat(allFiles(agentDirectory))
        .containsExactlyInAnyOrder(agentDirectory, agentDirectory.resolve("buffer.db"));
  }

  @Test
  void a_redirect_is_not_followed() throws Exception {
    StubServer elsewhere = use(StubServer.up());
    server.onDelivery((request, out) ->
        (server.count() > 1
                ? StubServer.OK
                : StubServer.Behaviour.status(307, "", "Location: " + elsewhere.url() + "/log"))
            .respond(request, out));
    AgentProcess agent = startOn(agentDirectory);
    assertThat(client(agent).send(requestWithKey("1")).getSuccess()).isTrue();

    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(server.count()).isEqualTo(2);
    assertThat(elsewhere.connections()).isZero();
  }
}
