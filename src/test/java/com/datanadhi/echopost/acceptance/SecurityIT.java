package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.proto.LogRequest;
import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
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

/// What SECURITY.md promises, as far as it shows on the program as a process.
class SecurityIT extends AcceptanceTest {
  private static final String AGENT_KEY = "agent-key";
  private static final String RECORD_KEY = "k3y-of-the-record";
  private static final String PAYLOAD = "p4yload-of-the-record";

  private Path own;

  @BeforeEach
  void aDirectoryOfItsOwn() {
    own = directory.resolve("own");
  }

  private AgentProcess startIn(Path place) throws IOException {
    AgentProcess agent = use(AgentProcess.spawn(place, server.url()));
    agent.awaitReady();
    return agent;
  }

  private static LogRequest secret(String json) {
    return LogRequest.newBuilder()
        .setJsonData(json)
        .addPipelines("p1")
        .setApiKey(RECORD_KEY)
        .build();
  }

  private static void crash(AgentProcess agent) {
    AgentProcess.signal(agent.jvm().orElseThrow(), "SEGV");
    await().atMost(SOON).until(() -> agent.logged(EventNames.AGENT_READY) > 1);
  }

  private static List<Path> allIn(Path place) throws IOException {
    try (Stream<Path> all = Files.walk(place)) {
      return all.toList();
    }
  }

  @Test
  void everything_is_private_whatever_the_callers_umask_is() throws Exception {
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                List.of(
                    "sh", "-c", "umask 0; exec \"$0\" \"$@\"", AgentProcess.program().toString()),
                own,
                server.url()));
    agent.awaitReady();
    assertThat(client(agent).send(secret("1")).getSuccess()).isTrue();
    crash(agent);

    List<Path> all = allIn(own);

    assertThat(all).anyMatch(path -> path.endsWith("crash.log"));
    for (Path path : all) {
      Set<PosixFilePermission> mode =
          Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS);
      assertThat(PosixFilePermissions.toString(mode)).as(path.toString()).endsWith("------");
    }
  }

  @Test
  void nothing_is_open_to_others_even_for_a_moment() throws Exception {
    assumeThat(canTrace()).as("strace is there, and may trace").isTrue();
    // What the first start of all unpacks has modes of its own.
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
                    AgentProcess.program().toString()),
                own,
                server.url()));
    agent.awaitReady();
    assertThat(client(agent).send(secret("1")).getSuccess()).isTrue();
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();

    List<String> calls = Files.readAllLines(trace);

    // The launcher sets the mask, and nobody lifts it; no mode is changed but the socket's own,
    // under its private name.
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
  void neither_payloads_nor_keys_are_in_logs_reports_output_or_the_agents_arguments()
      throws Exception {
    AgentProcess agent = startIn(own);
    var client = client(agent);
    assertThat(client.send(secret("\"" + PAYLOAD + "\"")).getSuccess()).isTrue();
    StatusRuntimeException refused =
        org.assertj.core.api.Assertions.catchThrowableOfType(
            StatusRuntimeException.class, () -> client.send(secret("{" + PAYLOAD)));
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

    String said = agent.output();
    for (Path path : allIn(own)) {
      if (Files.isRegularFile(path)
          && !String.valueOf(path.getFileName()).startsWith("buffer.db")) {
        said += Files.readString(path, StandardCharsets.ISO_8859_1);
      }
    }

    assertThat(said).contains(EventNames.RECORD_REJECTED).contains("SIGSEGV");
    assertThat(said).doesNotContain(PAYLOAD);
    assertThat(said).doesNotContain(RECORD_KEY);
    assertThat(said).doesNotContain(AGENT_KEY);
  }

  @Test
  void the_key_that_an_sdk_gives_by_argument_is_the_agents() throws Exception {
    AgentProcess agent = startIn(own);
    assertThat(client(agent).send(LogRequest.newBuilder().setJsonData("1").build()).getSuccess())
        .isTrue();

    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(server.deliveries().getFirst().headers())
        .containsEntry("datanadhi-api-key", AGENT_KEY);
  }

  @Test
  void a_key_without_a_value_is_misuse_and_an_empty_one_is_none() throws Exception {
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
  void a_directory_that_others_can_write_to_is_warned_of(String mode) throws Exception {
    Files.createDirectory(own);
    Files.setPosixFilePermissions(own, PosixFilePermissions.fromString(mode));

    AgentProcess agent = startIn(own);

    assertThat(agent.output())
        .contains(
            "\"level\":\"WARNING\",\"event\":\"" + EventNames.DIRECTORY_WRITABLE_BY_OTHERS + "\"")
        .contains("chmod go-w " + own);
    assertThat(Files.getPosixFilePermissions(own)).isEqualTo(PosixFilePermissions.fromString(mode));
  }

  @Test
  void a_private_directory_is_not_warned_of() throws Exception {
    assertThat(startIn(own).hasLogged(EventNames.DIRECTORY_WRITABLE_BY_OTHERS)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "agent.lock",
        "buffer.db",
        "buffer.db-wal",
        "buffer.db-journal",
        "buffer.db.new",
        "reserve"
      })
  void a_link_under_one_of_our_names_is_not_followed(String name) throws Exception {
    Files.createDirectory(own);
    Path victim = Files.writeString(directory.resolve("victim"), "precious");
    Files.setPosixFilePermissions(victim, PosixFilePermissions.fromString("rw-r--r--"));
    Files.createSymbolicLink(own.resolve(name), victim);

    ProgramResult ran = run(UNPACKED, "-datanadhi", own.toString());

    assertThat(ran.exit()).isEqualTo(2);
    assertThat(ran.err()).contains(own.resolve(name) + " is not a plain file").hasLineCount(1);
    assertThat(victim).hasContent("precious");
    assertThat(Files.getPosixFilePermissions(victim))
        .isEqualTo(PosixFilePermissions.fromString("rw-r--r--"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"status", "redrive -all", "import lines.jsonl", "salvage lost.db"})
  void no_command_follows_a_link_under_one_of_our_names(String command) throws Exception {
    Files.createDirectory(own);
    Files.writeString(directory.resolve("lines.jsonl"), "");
    Files.writeString(directory.resolve("lost.db"), "");
    Path victim = Files.writeString(directory.resolve("victim"), "precious");
    Files.createSymbolicLink(own.resolve("buffer.db"), victim);

    ProgramResult ran = awaitEnd(startCommand(own, command.split(" ")));

    assertThat(ran.exit()).isEqualTo(2);
    assertThat(ran.err())
        .contains(own.resolve("buffer.db") + " is not a plain file")
        .hasLineCount(1);
    assertThat(victim).hasContent("precious");
    assertThat(allIn(own)).containsExactlyInAnyOrder(own, own.resolve("buffer.db"));
  }

  @Test
  void a_redirect_is_not_followed() throws Exception {
    StubServer elsewhere = use(StubServer.up());
    server.onDelivery((request, out) ->
        (server.count() > 1
                ? StubServer.OK
                : StubServer.Behaviour.status(307, "", "Location: " + elsewhere.url() + "/log"))
            .answer(request, out));
    AgentProcess agent = startIn(own);
    assertThat(client(agent).send(secret("1")).getSuccess()).isTrue();

    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(server.count()).isEqualTo(2);
    assertThat(elsewhere.connections()).isZero();
  }
}
