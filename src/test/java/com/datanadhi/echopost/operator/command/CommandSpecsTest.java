package com.datanadhi.echopost.operator.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.datanadhi.echopost.cli.CommandLine;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.HelpText;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The descriptions of the commands and of the program.
class CommandSpecsTest {
  private static final Pattern FLAG = Pattern.compile("(?<![\\w-])-([a-z][a-z-]*)");

  static final List<CommandSpec> ALL =
      Stream.concat(Stream.of(CommandLine.programSpec()), Commands.specs().stream()).toList();

  @ParameterizedTest
  @FieldSource("ALL")
  void the_synopses_contain_each_flag_and_no_other(CommandSpec spec) {
    Set<String> named = new TreeSet<>(Set.of("h"));
    Matcher flags = FLAG.matcher(String.join("\n", spec.synopses()));
    while (flags.find()) {
      named.add(flags.group(1));
    }
    assertThat(spec.flags()).extracting(Flag::name).containsExactlyInAnyOrderElementsOf(named);
    if (spec.operand() != null) {
      assertThat(spec.synopses().getFirst()).contains(spec.operand().name());
    }
  }

  @ParameterizedTest
  @FieldSource("ALL")
  void each_flag_and_each_exit_status_is_described_once(CommandSpec spec) {
    assertThat(spec.flags()).extracting(Flag::name).doesNotHaveDuplicates();
    assertThat(spec.exitStatuses())
        .extracting(CommandSpec.ExitStatus::code)
        .isSorted()
        .doesNotHaveDuplicates();
    assertThat(spec.exitStatuses()).extracting(CommandSpec.ExitStatus::code).contains(0, 2);
  }

  @ParameterizedTest
  @FieldSource("ALL")
  void the_help_text_fits_80_columns_and_contains_each_flag_and_exit_status(CommandSpec spec) {
    String help = HelpText.of(spec, List.of());
    assertThat(help.lines()).allMatch(line -> line.length() <= 80, "at most 80 columns");
    assertThat(help).contains("usage: echopost " + spec.name());
    for (Flag flag : spec.flags()) {
      assertThat(help).contains("\n  " + flag.synopsis());
    }
    for (CommandSpec.ExitStatus exit : spec.exitStatuses()) {
      assertThat(help).contains("\n  " + exit.code() + "  ");
    }
  }

  @ParameterizedTest
  @FieldSource("ALL")
  void the_reference_lists_each_command(CommandSpec spec) throws Exception {
    assertThat(Files.readString(Path.of("docs/REFERENCE.md"))).contains("`" + spec.name());
  }

  @Test
  void the_help_text_of_the_program_lists_each_command() {
    assertThat(Commands.programHelp())
        .contains(
            Commands.specs().stream()
                .map(spec -> "\n  " + spec.name() + " ")
                .toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"docs/OPERATING.md", "docs/REFERENCE.md"})
  void command_lines_in_the_documents_use_existing_commands_and_flags(String document)
      throws Exception {
    Set<String> names = new TreeSet<>();
    Matcher commands =
        Pattern.compile("(?:\\$|`|&&) ?echopost ((?!COMMAND)[a-z]+)((?: -[a-z]+)*)")
            .matcher(Files.readString(Path.of(document)));
    while (commands.find()) {
      names.add(commands.group(1));
      List<String> flags =
          CommandSpec.find(commands.group(1), Commands.specs()).flags().stream()
              .map(flag -> "-" + flag.name())
              .toList();
      for (String flag : commands.group(2).strip().split(" ", -1)) {
        assertThat(flags).as(commands.group()).contains(flag.isEmpty() ? "-h" : flag);
      }
    }
    assertThat(names).hasSizeGreaterThan(1);
  }
}
