package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Processes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// How the program is started: directory, environment, arguments and standard streams.
class CommandLineIT extends AcceptanceTest {
  @Test
  void the_program_runs_from_any_directory_with_an_empty_environment() throws Exception {
    ProgramResult version = run(Map.of(), "-version");

    assertThat(version)
        .isEqualTo(
            new ProgramResult(
                0, "echopost " + Files.readString(Path.of("VERSION")).strip() + "\n", ""));
    assertThat(run(Map.of(), "-h").out()).contains("usage: echopost");
  }

  static List<List<String>> invalidArguments() {
    return List.of(
        List.of("-nonsense"),
        List.of("frobnicate"),
        List.of("-health-url", "ftp://x"),
        List.of("-health-url", "http://h:99999"),
        List.of("-api-key", "a\nb"),
        List.of("-datanadhi", "VERSION/below-a-file"),
        List.of("-datanadhi", "x".repeat(120)),
        List.of("-datanadhi"));
  }

  @ParameterizedTest
  @MethodSource("invalidArguments")
  void invalid_arguments_give_one_line_and_exit_status_2(List<String> args) throws Exception {
    Files.createFile(directory.resolve("VERSION"));

    ProgramResult result = run(UNPACKED, args.toArray(String[]::new));

    assertThat(result.exit()).isEqualTo(2);
    assertThat(result.err()).startsWith("echopost: ").hasLineCount(1);
    assertThat(result.out()).isEmpty();
  }

  @Test
  void a_relative_directory_is_created_with_its_missing_parents() throws Exception {
    Process process =
        start(
            PackagedProgram.path(),
            UNPACKED,
            "-datanadhi",
            "missing/../a/b",
            "-health-url",
            server.url());
    await().atMost(SOON).until(() -> Files.exists(directory.resolve("a/b/data-nadhi-agent.sock")));
    process.destroy();

    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
  }

  @Test
  void an_agent_with_closed_standard_output_and_error_does_its_work() throws Exception {
    Process process =
        new ProcessBuilder(
                "sh",
                "-c",
                "exec \"$0\" -datanadhi \"$1\" -health-url \"$2\" >&- 2>&-",
                PackagedProgram.path().toString(),
                directory.toString(),
                server.url())
            .start();
    use(() -> Processes.kill(process));
    await().atMost(SOON).until(() -> Files.exists(directory.resolve("data-nadhi-agent.sock")));
    LoadClient client = use(new LoadClient(directory.resolve("data-nadhi-agent.sock")));
    assertThat(client.run(load(100, 1), _ -> {}).acknowledged()).isEqualTo(100);

    server.comeUp();

    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    assertThat(server.distinct()).isEqualTo(100);
  }
}
