package com.datanadhi.echopost.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {
  private static Command parse(String... args) throws UsageException {
    return CommandLine.parse(List.of(args), Map.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {"-h", "--h", "-help", "--help"})
  void the_flag_h_and_its_variants_request_the_help_text(String flag) throws UsageException {
    assertThat(parse("-datanadhi", "d", flag, "word")).isEqualTo(new Command.Help());
  }

  @Test
  void the_help_text_contains_every_flag_default_variable_and_exit_status() {
    String usage = HelpText.of(CommandLine.programSpec(), List.of());
    assertThat(usage)
        .contains("echopost COMMAND [flags]")
        .contains("-datanadhi", "-api-key", "-health-url", "-version", "-h")
        .contains("./.datanadhi", "http://data-nadhi-server:5000", "data-nadhi-agent.sock")
        .contains("DATANADHI_API_KEY", "ECHOPOST_SOCKET_MODE", "SSL_CERT_FILE")
        .contains("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY");
    for (int code = 0; code <= 5; code++) {
      assertThat(usage).containsPattern("(?m)^ +" + code + "  [a-z]+");
    }
    assertThat(usage).doesNotContain("%s");
  }

  @Test
  void the_version_is_that_of_the_file_version() throws UsageException, IOException {
    String version = Files.readString(Path.of("VERSION")).strip();
    assertThat(version).matches("v\\d+\\.\\d+\\.\\d+");
    assertThat(CommandLine.version()).isEqualTo(version);
    assertThat(parse("-version")).isEqualTo(new Command.Print("echopost " + version + "\n"));
    assertThat(parse("--version=true")).isEqualTo(parse("-version"));
  }

  @Test
  void without_arguments_the_agent_runs_with_its_defaults() throws UsageException {
    assertThat(parse())
        .isEqualTo(new Command.Run(Options.of(Map.of(), Map.of())))
        .isEqualTo(parse("-version=false", "-h=false"));
  }

  @Test
  void flags_reach_the_options() throws UsageException {
    assertThat(parse("-datanadhi", "d", "--api-key=k", "-health-url", "http://h:1"))
        .isInstanceOfSatisfying(
            Command.Run.class,
            run -> {
              assertThat(run.options().directory()).isEqualTo(Path.of("d"));
              assertThat(run.options().apiKey()).isEqualTo("k");
              assertThat(run.options().healthUrl()).isEqualTo("http://h:1");
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"frobnicate", "-", ""})
  void the_first_word_is_a_command_and_the_rest_are_its_arguments(String word)
      throws UsageException {
    assertThat(parse(word, "-h", "x")).isEqualTo(new Command.Operate(word, List.of("-h", "x")));
  }

  @Test
  void flags_before_a_command_are_refused() {
    assertThatThrownBy(() -> parse("-datanadhi", "d", "word"))
        .isInstanceOf(UsageException.class)
        .hasMessage("flags must follow the command's name: echopost word [flags]");
  }
}
