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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/// What the commands, and the program, say of themselves.
class CommandSpecsTest {
  private static final Pattern FLAG = Pattern.compile("(?<![\\w-])-([a-z][a-z-]*)");

  static final List<CommandSpec> ALL =
      Stream.concat(Stream.of(CommandLine.manual()), Commands.manuals().stream()).toList();

  @ParameterizedTest
  @FieldSource("ALL")
  void the_forms_name_each_flag_and_no_other(CommandSpec manual) {
    Set<String> named = new TreeSet<>(Set.of("h"));
    Matcher flags = FLAG.matcher(String.join("\n", manual.forms()));
    while (flags.find()) {
      named.add(flags.group(1));
    }
    assertThat(manual.flags()).extracting(Flag::name).containsExactlyInAnyOrderElementsOf(named);
    if (manual.operand() != null) {
      assertThat(manual.forms().getFirst()).contains(manual.operand().name());
    }
  }

  @ParameterizedTest
  @FieldSource("ALL")
  void each_flag_and_each_exit_status_is_said_once(CommandSpec manual) {
    assertThat(manual.flags()).extracting(Flag::name).doesNotHaveDuplicates();
    assertThat(manual.exits())
        .extracting(CommandSpec.Exit::status)
        .isSorted()
        .doesNotHaveDuplicates();
    assertThat(manual.exits()).extracting(CommandSpec.Exit::status).contains(0, 2);
  }

  @ParameterizedTest
  @FieldSource("ALL")
  void the_help_text_fits_a_terminal_and_explains_all_there_is(CommandSpec manual) {
    String help = HelpText.of(manual, List.of());
    assertThat(help.lines()).allMatch(line -> line.length() <= 80, "at most 80 columns");
    assertThat(help).contains("usage: echopost " + manual.name());
    for (Flag flag : manual.flags()) {
      assertThat(help).contains("\n  " + flag.form());
    }
    for (CommandSpec.Exit exit : manual.exits()) {
      assertThat(help).contains("\n  " + exit.status() + "  ");
    }
  }

  @ParameterizedTest
  @FieldSource("ALL")
  void the_reference_lists_each_command(CommandSpec manual) throws Exception {
    assertThat(Files.readString(Path.of("docs/REFERENCE.md"))).contains("`" + manual.name());
  }

  @org.junit.jupiter.api.Test
  void the_overview_lists_each_command() {
    assertThat(Commands.overview())
        .contains(
            Commands.manuals().stream()
                .map(manual -> "\n  " + manual.name() + " ")
                .toArray(String[]::new));
  }

  @ParameterizedTest
  @org.junit.jupiter.params.provider.ValueSource(
      strings = {"docs/OPERATING.md", "docs/REFERENCE.md"})
  void what_the_documents_tell_people_to_type_exists(String document) throws Exception {
    Set<String> names = new TreeSet<>();
    Matcher commands =
        Pattern.compile("(?:\\$|`|&&) ?echopost ((?!COMMAND)[a-z]+)((?: -[a-z]+)*)")
            .matcher(Files.readString(Path.of(document)));
    while (commands.find()) {
      names.add(commands.group(1));
      List<String> flags =
          Commands.manual(commands.group(1)).flags().stream()
              .map(flag -> "-" + flag.name())
              .toList();
      for (String flag : commands.group(2).strip().split(" ", -1)) {
        assertThat(flags).as(commands.group()).contains(flag.isEmpty() ? "-h" : flag);
      }
    }
    assertThat(names).hasSizeGreaterThan(1);
  }
}
