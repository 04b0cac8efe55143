package com.datanadhi.echopost.operator.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.datanadhi.echopost.cli.CommandLine;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ShellCompletions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The completions in the shells that they are for.
class ShellCompletionsTest {
  @TempDir Path directory;

  @BeforeEach
  void aDirectoryAndAFile() throws Exception {
    Files.createDirectory(directory.resolve("my data"));
    Files.createFile(directory.resolve("my.jsonl"));
  }

  /// What `shell` offers in the place of the last of `words`.
  private List<String> offers(String shell, String... words) throws Exception {
    assumeTrue(Programs.isInstalled(shell), "skipped: no " + shell + " here");
    return switch (shell) {
      case "bash" ->
          run(
              ShellCompletions.bash()
                  + "COMP_WORDS=(echopost \"$@\"); COMP_CWORD=$#\n"
                  + "_echopost\n"
                  + "printf '%s\\n' \"${COMPREPLY[@]}\"",
              List.of("bash", "--norc", "-c"),
              List.of(words));
      case "fish" ->
          run(
              "source "
                  + Files.writeString(directory.resolve(".fish"), ShellCompletions.fish())
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
    // What becomes of $0, and what ends fish's own flags.
    command.add(shell.getFirst().equals("bash") ? "bash" : "--");
    command.addAll(words);
    Process process =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said.lines().filter(line -> !line.isBlank()).toList();
  }

  private static List<String> flags(CommandSpec manual) {
    return manual.flags().stream().map(flag -> "-" + flag.name()).toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"bash", "fish"})
  void commands_and_each_ones_flags_are_offered(String shell) throws Exception {
    List<String> names = Commands.manuals().stream().map(CommandSpec::name).toList();
    assertThat(offers(shell, "")).containsAll(names);
    assertThat(offers(shell, "re")).containsExactlyInAnyOrder("rejected", "redrive");
    assertThat(offers(shell, "-")).containsAll(flags(CommandLine.manual()));
    assertThat(offers(shell, "help", "")).containsAll(names);
    for (CommandSpec manual : Commands.manuals()) {
      assertThat(offers(shell, manual.name(), "-")).hasSameElementsAs(flags(manual));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bash", "fish"})
  void values_are_offered_where_they_are_known(String shell) throws Exception {
    assertThat(offers(shell, "rejected", "-datanadhi", "m"))
        .allMatch(offer -> offer.replace("\\", "").matches("my data/?"))
        .hasSize(1);
    assertThat(offers(shell, "salvage", "my.")).containsExactly("my.jsonl");
    assertThat(offers(shell, "completion", "")).containsExactlyInAnyOrder("bash", "zsh", "fish");
    assertThat(offers(shell, "completion", "z")).containsExactly("zsh");
  }

  @Test
  void zsh_takes_its_script_and_offers_what_there_is() throws Exception {
    assumeTrue(Programs.isInstalled("zsh"), "skipped: no zsh here");
    Path script = Files.writeString(directory.resolve(".zsh"), ShellCompletions.zsh());
    assertThat(run("", List.of("zsh", "-f", "-n", script.toString(), "-c"), List.of())).isEmpty();
    assertThat(typed(script, "echopost rejected -"))
        .contains(flags(Commands.manual("rejected")).toArray(String[]::new));
    assertThat(typed(script, "echopost re")).contains("rejected", "redrive");
    assertThat(typed(script, "echopost completion ")).contains("bash", "zsh", "fish");
  }

  /// What an interactive zsh shows when the tab key is hit behind `line`.
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
