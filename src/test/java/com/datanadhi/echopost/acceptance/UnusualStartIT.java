package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.Directories;
import com.datanadhi.testkit.PackagedProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The program where something that it relies on is missing or changes while it runs: its working
/// directory, its own file, room for its address space.
class UnusualStartIT extends AcceptanceTest {
  /// Deletes the working directory, then runs its arguments.
  private static final String WITHOUT_DIRECTORY =
      "mkdir \"$0\" && cd \"$0\" && rmdir \"$0\" && exec \"$@\"";

  private Path agentDirectory() {
    return directory.resolve("own");
  }

  @Test
  void an_agent_works_and_restarts_in_a_working_directory_that_was_deleted() throws Exception {
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                List.of(
                    "/bin/sh",
                    "-c",
                    WITHOUT_DIRECTORY,
                    directory.resolve("deleted").toString(),
                    PackagedProgram.path().toString()),
                agentDirectory(),
                server.url()));
    agent.awaitReady();
    send(agent, load(10, 1));

    assertThat(agent.jvm().orElseThrow().destroyForcibly()).isTrue();
    await().atMost(SOON).until(() -> agent.logged("agent_ready") == 2);
    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 10);
  }

  @Test
  void an_agent_restarts_after_its_working_directory_was_deleted() throws Exception {
    Path working = Files.createDirectory(directory.resolve("working"));
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                List.of(
                    "/bin/sh",
                    "-c",
                    "cd \"$0\" && exec \"$@\"",
                    working.toString(),
                    PackagedProgram.path().toString()),
                agentDirectory(),
                server.url()));
    agent.awaitReady();
    Files.delete(working);

    assertThat(agent.jvm().orElseThrow().destroyForcibly()).isTrue();

    await().atMost(SOON).until(() -> agent.logged("agent_ready") == 2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "status -datanadhi DIR",
        "logs -datanadhi DIR",
        "import - -datanadhi DIR",
        "completion bash",
        "status -h",
        "-version"
      })
  void commands_work_in_a_working_directory_that_was_deleted(String command) throws Exception {
    AgentProcess agent = use(AgentProcess.spawn(agentDirectory(), server.url()));
    agent.awaitReady();

    Process process = startWithoutDirectory(command.replace("DIR", agentDirectory().toString()));
    process.getOutputStream().close();

    assertThat(awaitEnd(process).exit()).isZero();
  }

  private Process startWithoutDirectory(String command) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "-c",
                WITHOUT_DIRECTORY,
                directory.resolve("deleted").toString(),
                PackagedProgram.path().toString()));
    all.addAll(List.of(command.split(" ")));
    return start(Path.of("/bin/sh"), UNPACKED, all.toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-datanadhi own",
        "status -datanadhi own",
        "status",
        "import lines -datanadhi DIR",
        "salvage lost.db -datanadhi DIR"
      })
  void a_relative_path_in_a_working_directory_that_was_deleted_is_misuse(String arguments)
      throws Exception {
    ProgramResult result =
        awaitEnd(startWithoutDirectory(arguments.replace("DIR", directory.toString())));

    assertThat(result.exit()).isEqualTo(2);
    // The shell itself may complain about the directory before the program starts.
    assertThat(result.err().lines().filter(line -> line.startsWith("echopost: ")).toList())
        .singleElement()
        .asString()
        .contains("the working directory no longer exists");
  }

  /// Overwrites a file without replacing it.
  private static void overwrite(Path file, byte[] content) throws IOException {
    Files.write(file, content, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
  }

  private Path copyOfProgram() throws IOException {
    return Files.copy(PackagedProgram.path(), directory.resolve("echopost"));
  }

  private AgentProcess spawn(List<String> program, Path cache) throws IOException {
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                program,
                agentDirectory(),
                server.url(),
                Map.of(PackagedProgram.RUNTIME_DIR, cache.toString())));
    agent.awaitReady();
    return agent;
  }

  @ParameterizedTest
  @CsvSource({"sh, KILL", "sh, TERM", "bash --posix, KILL", "bash --posix, TERM", "bash, KILL"})
  void an_agent_whose_program_is_overwritten_runs_on(String shell, String signal) throws Exception {
    Path program = copyOfProgram();
    List<String> command = new ArrayList<>(List.of(shell.split(" ")));
    command.add(program.toString());
    AgentProcess agent = spawn(command, PackagedProgram.runtimeDirectory());
    send(agent, load(10, 1));

    // With other lines at its start, as in another version: what the shell reads next is not what
    // it would have read.
    overwrite(
        program,
        "echo unexpected >&2; exit 77\n".repeat(1_500_000).getBytes(StandardCharsets.UTF_8));
    if (signal.equals("KILL")) {
      assertThat(agent.jvm().orElseThrow().destroyForcibly()).isTrue();
      await().atMost(SOON).until(() -> agent.logged("agent_ready") == 2);
      server.comeUp();
    } else {
      agent.terminate();
    }

    assertThat(agent.awaitExit(SOON)).isEqualTo(signal.equals("KILL") ? 0 : 4);
    assertThat(agent.output()).doesNotContain("unexpected");
    assertThat(agent.output().lines()).noneMatch(line -> line.startsWith("echopost: "));
  }

  @Test
  void a_restart_never_unpacks_another_version_under_its_own_id() throws Exception {
    Path program = copyOfProgram();
    Path cache = directory.resolve("cache");
    OtherVersion other = OtherVersion.create(directory.resolve("other"));
    AgentProcess agent = spawn(List.of(program.toString()), cache);
    send(agent, load(10, 1));
    ProcessHandle jvm = agent.jvm().orElseThrow();
    overwrite(program, Files.readAllBytes(other.program()));
    Directories.delete(cache.resolve(other.originalId()));

    assertThat(jvm.destroyForcibly()).isTrue();

    // The version that is there now takes over.
    await().atMost(SOON).until(() -> agent.logged("agent_ready") == 2);
    assertThat(agent.agent().info().command().orElse("")).contains(other.id());
    assertThat(cache.resolve(other.originalId())).doesNotExist();
    server.comeUp();
    assertThat(agent.awaitExit(SOON)).isZero();
    assertInOrder(0, 10);
  }

  @Test
  void a_restart_without_runtime_and_program_says_what_is_missing() throws Exception {
    Path program = copyOfProgram();
    Path cache = directory.resolve("cache");
    AgentProcess agent = spawn(List.of(program.toString()), cache);
    ProcessHandle jvm = agent.jvm().orElseThrow();
    Files.delete(program);
    Directories.delete(cache);

    assertThat(jvm.destroyForcibly()).isTrue();

    assertThat(agent.awaitExit(SOON)).isEqualTo(1);
    assertThat(agent.output().lines().toList().getLast())
        .startsWith("echopost: the agent died (SIGKILL) and cannot be restarted: ")
        .endsWith("was removed or replaced by another version");
  }

  private ProgramResult runLimited(String limit, String... args) throws Exception {
    List<String> all =
        new ArrayList<>(
            List.of("-c", limit + " && exec \"$0\" \"$@\"", PackagedProgram.path().toString()));
    all.addAll(List.of(args));
    return awaitEnd(start(Path.of("/bin/sh"), UNPACKED, all.toArray(String[]::new)));
  }

  @Test
  void too_small_an_address_space_gives_one_line_that_says_what_is_needed() throws Exception {
    ProgramResult result = runLimited("ulimit -v 700000", "-version");

    assertThat(result.exit()).isEqualTo(1);
    assertThat(result.err()).startsWith("echopost: ").contains("ulimit -v 750000").hasLineCount(1);
    assertThat(result.out()).isEmpty();
  }

  @Test
  void an_agent_works_in_the_smallest_permitted_address_space() throws Exception {
    AgentProcess agent =
        use(
            AgentProcess.spawn(
                List.of(
                    "/bin/sh",
                    "-c",
                    "ulimit -v 750000 && exec \"$0\" \"$@\"",
                    PackagedProgram.path().toString()),
                agentDirectory(),
                server.url()));
    agent.awaitReady();
    send(agent, load(20_000, 8));
    server.comeUp();

    assertThat(agent.awaitExit(SOON)).isZero();
    assertThat(agent.logged("restarted_after_crash")).isZero();
    assertThat(server.distinct()).isEqualTo(20_000);
  }
}
