package com.datanadhi.echopost.operator.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.cli.CommandLine;
import com.datanadhi.echopost.cli.CommandSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The completion scripts in the shells that they are for.
class CompletionCommandTest extends CommandFixture {
  @BeforeEach
  void createADirectoryAndAFile() throws Exception {
    Files.createDirectory(elsewhere.resolve("my data"));
    Files.createFile(elsewhere.resolve("my.jsonl"));
  }

  /// The completions that `shell` offers for the last of `words`.
  private List<String> completions(String shell, String... words) throws Exception {
    assumeTrue(Programs.isInstalled(shell), "skipped: no " + shell + " here");
    return switch (shell) {
      case "bash" ->
          run(
              runWithoutDirectory("completion bash")
                  + "COMP_WORDS=(echopost \"$@\"); COMP_CWORD=$#\n"
                  + "_echopost\n"
                  + "printf '%s\\n' \"${COMPREPLY[@]}\"",
              List.of("bash", "--norc", "-c"),
              List.of(words));
      case "fish" ->
          run(
              "source "
                  + Files.writeString(
                      elsewhere.resolve(".fish"), runWithoutDirectory("completion fish"))
                  + "; complete -C (string join ' ' -- echopost $argv) | string replace -r '\\t.*'"
                  + " ''; true",
              List.of("fish", "--no-config", "-c"),
              List.of(words));
      default -> throw new IllegalArgumentException(shell);
    };
  }

  private List<String> run(String script, List<String> shell, List<String> words) throws Exception {
    List<String> command = new ArrayList<>(shell);
    command.add(script);
    // For bash the value of $0, for fish the end of its own flags.
    command.add(shell.getFirst().equals("bash") ? "bash" : "--");
    command.addAll(words);
    Process process =
        new ProcessBuilder(command).directory(elsewhere.toFile()).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output.lines().filter(line -> !line.isBlank()).toList();
  }

  private static List<String> flags(CommandSpec spec) {
    return spec.flags().stream().map(flag -> "-" + flag.name()).toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"bash", "fish"})
  void commands_and_the_flags_of_each_command_are_completed(String shell) throws Exception {
    List<String> names = Commands.specs().stream().map(CommandSpec::name).toList();
    assertThat(completions(shell, "")).containsAll(names);
    assertThat(completions(shell, "re")).containsExactlyInAnyOrder("rejected", "redrive");
    assertThat(completions(shell, "-")).containsAll(flags(CommandLine.programSpec()));
    assertThat(completions(shell, "help", "")).containsAll(names);
    for (CommandSpec spec : Commands.specs()) {
      assertThat(completions(shell, spec.name(), "-")).hasSameElementsAs(flags(spec));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bash", "fish"})
  void values_and_operands_are_completed(String shell) throws Exception {
    assertThat(completions(shell, "rejected", "-datanadhi", "m"))
        .allMatch(completion -> completion.replace("\\", "").matches("my data/?"))
        .hasSize(1);
    assertThat(completions(shell, "salvage", "my.")).containsExactly("my.jsonl");
    assertThat(completions(shell, "completion", ""))
        .containsExactlyInAnyOrder("bash", "zsh", "fish");
    assertThat(completions(shell, "completion", "z")).containsExactly("zsh");
  }

  @Test
  void zsh_accepts_its_script_and_completes_commands_flags_and_operands() throws Exception {
    assumeTrue(Programs.isInstalled("zsh"), "skipped: no zsh here");
    Path script =
        Files.writeString(elsewhere.resolve(".zsh"), runWithoutDirectory("completion zsh"));
    assertThat(run("", List.of("zsh", "-f", "-n", script.toString(), "-c"), List.of())).isEmpty();
    assertThat(typed(script, "echopost rejected -"))
        .contains(flags(CommandSpec.find("rejected", Commands.specs())).toArray(String[]::new));
    assertThat(typed(script, "echopost re")).contains("rejected", "redrive");
    assertThat(typed(script, "echopost completion ")).contains("bash", "zsh", "fish");
  }

  /// The output of an interactive zsh when the tab key is pressed after `line`.
  private String typed(Path script, String line) throws Exception {
    String driver =
        """
        zmodload zsh/zpty
        zpty z zsh -f -i
        zpty -w z "PS1='>'; autoload -Uz compinit; compinit -u -D; source %s; zstyle ':completion:*' list-prompt ''; LISTMAX=1000; echo rea''dy"
        zpty -r -m z out '*ready*'
        zpty -w -n z "%s"$'\\t\\t'
        sleep 0.3
        zpty -w -n z $'\\C-u'"echo do''ne"$'\\n'
        zpty -r -m z out '*done*'
        print -r -- $out
        """
            .formatted(script, line);
    return String.join("\n", run(driver, List.of("zsh", "-f", "-c"), List.of()));
  }
}
