package com.datanadhi.echopost.operator.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datanadhi.echopost.cli.UsageException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandsTest extends CommandFixture {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "frobnicate | unknown command 'frobnicate'",
        "help frobnicate | unknown flag -datanadhi",
        "completion tcsh | unknown flag -datanadhi",
        "redrive -frobnicate | unknown flag -frobnicate",
        "redrive | select the records",
        "redrive -all -id 1 | select the records",
        "redrive -id 1 -status 2 | select the records",
        "redrive -all=false | select the records",
        "redrive -id one | -id is 'one': give a number",
        "redrive -id -1 | -id is -1",
        "redrive -status 1000 | -status is 1000",
        "redrive -all more | unexpected argument 'more'",
        "redrive -discard -all | unknown flag -discard",
        "rejected -yes | -yes is valid only with -discard",
        "rejected -discard -yes | select the records",
        "rejected -discard -all | no terminal to ask for it: add -yes",
        "rejected -all | there is no buffer in",
        "redrive -all | there is no buffer in",
        "rejected -discard -all -yes | there is no buffer in",
      })
  void invalid_arguments_are_refused_and_the_message_names_them(String line, String message) {
    assertThatThrownBy(() -> run(line))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(message);
    assertThat(target).isEmptyDirectory();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "help frobnicate | unknown command 'frobnicate'",
        "help a b | unexpected argument 'b'",
        "completion tcsh | unknown shell 'tcsh': give bash, zsh or fish",
        "completion | the argument bash|zsh|fish is missing",
      })
  void invalid_arguments_of_commands_without_a_directory_are_refused_too(
      String line, String message) {
    assertThatThrownBy(() -> runWithoutDirectory(line))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"status", "peek", "export", "verify", "logs", "peek -n x", "import nowhere"})
  void a_directory_without_a_buffer_is_a_usage_error_and_stays_empty(String line) {
    assertThatThrownBy(() -> run(line)).isInstanceOf(UsageException.class);
    assertThat(target).isEmptyDirectory();
  }
}
