package com.datanadhi.echopost.operator.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.HelpText;
import java.util.List;
import org.junit.jupiter.api.Test;

class HelpCommandTest extends CommandFixture {
  @Test
  void the_flag_h_and_the_command_help_print_the_same_text() throws Exception {
    for (CommandSpec spec : Commands.specs()) {
      assertThat(runWithoutDirectory(spec.name() + " -h"))
          .isEqualTo(HelpText.of(spec, List.of()))
          .isEqualTo(runWithoutDirectory("help " + spec.name()))
          .isEqualTo(runWithoutDirectory(spec.name() + " --help=true"));
    }
    assertThat(runWithoutDirectory("help")).isEqualTo(Commands.programHelp());
  }
}
