package com.datanadhi.echopost.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.PackagedProgram;
import com.datanadhi.testkit.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Directories with unusual names, in an environment without a locale.
class DirectoryNamesIT extends AcceptanceTest {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String RECORDS = "{\"log_data\":{\"a\":1},\"pipelines\":[]}\n".repeat(2);

  private JsonNode json(Path target, String... words) throws IOException, InterruptedException {
    return JSON.readTree(output(target, words));
  }

  private String output(Path target, String... words) throws IOException, InterruptedException {
    ProgramResult ran = awaitEnd(startCommand(target, words));
    assertThat(ran.exit()).as("%s: %s", List.of(words), ran.err()).isZero();
    assertThat(ran.err()).isEmpty();
    return ran.out();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "données",
        "日本 語 😀\u202e",
        "100% a%41b?mode=ro#c&d",
        "it's \"q\" \\ $HOME `*` a:b;<>[{|}]^",
        "-dash\nline\ttab"
      })
  void every_command_works_beside_a_running_agent(String name) throws Exception {
    Path target = Files.createDirectory(directory.resolve(name));
    Path file = Files.writeString(directory.resolve("records of " + name), RECORDS);
    AgentProcess agent = use(AgentProcess.spawn(target, server.url()));
    agent.awaitReady();

    assertThat(json(target, "import", file.toString(), "-json").get("by_agent").asBoolean())
        .isTrue();
    JsonNode status = json(target, "status", "-json");
    assertThat(status.get("agent").get("state").asString()).isEqualTo("running");
    assertThat(status.get("pending").get("records").asInt()).isEqualTo(2);
    assertThat(json(target, "health").get("status").asString()).isEqualTo("ok");
    assertThat(output(target, "metrics")).containsPattern("\nechopost_up\\{.*} 1\n");
    assertThat(output(target, "redrive", "-all")).startsWith("nothing to do");
    assertThat(output(target, "rejected", "-discard", "-all", "-yes")).startsWith("nothing to do");
    assertThat(output(target, "export")).hasLineCount(2);
    assertThat(output(target, "verify")).endsWith("2 records checked: no problem found\n");
    assertThat(output(target, "logs")).contains("agent_ready");
    ProgramResult relative =
        run(UNPACKED, "status", "-json", "-datanadhi=../" + directory.getFileName() + "/" + name);
    assertThat(JSON.readTree(relative.out()).get("agent").get("state").asString())
        .isEqualTo("running");
  }

  @Test
  void a_name_that_is_not_utf_8_is_a_usage_error() throws Exception {
    for (String command : List.of("", "status", "import -", "logs")) {
      Process process =
          new ProcessBuilder(
                  "sh",
                  "-c",
                  "exec \"$0\" " + command + " -datanadhi \"$(printf 'caf\\351')\"",
                  PackagedProgram.path().toString())
              .directory(directory.toFile())
              .start();
      use(() -> Processes.kill(process));
      ProgramResult ran = awaitEnd(process);

      assertThat(ran.exit()).as(command).isEqualTo(2);
      assertThat(ran.err()).contains("bytes that are not UTF-8").hasLineCount(1);
    }
    try (Stream<Path> created = Files.list(directory)) {
      assertThat(created).isEmpty();
    }
  }

  @Test
  void a_path_with_107_bytes_is_the_longest_for_a_socket() throws Exception {
    int room = 107 - "/data-nadhi-agent.sock".length();
    Path longest = directory.resolve("x".repeat(room - directory.toString().length() - 1));
    AgentProcess agent = use(AgentProcess.spawn(longest, server.url()));
    agent.awaitReady();
    assertThat(json(longest, "status", "-json").get("agent").get("state").asString())
        .isEqualTo("running");

    Path tooLong = directory.resolve(longest.getFileName() + "x");
    AgentProcess refused = use(AgentProcess.spawn(tooLong, server.url()));
    assertThat(refused.awaitExit(SOON)).isEqualTo(2);
    assertThat(refused.output()).contains("has 108 bytes, a UNIX socket's path may have 107");
  }
}
