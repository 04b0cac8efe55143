package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandLine;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.HelpText;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.Terminal;
import java.util.List;
import java.util.function.Supplier;

/// `echopost help`: prints the help text of a command, or of the program.
final class HelpCommand implements OperatorCommand {
  private final Supplier<List<CommandSpec>> commands;

  /// @param commands the descriptions of all commands; called when the command is run
  HelpCommand(Supplier<List<CommandSpec>> commands) {
    this.commands = commands;
  }

  @Override
  public CommandSpec spec() {
    return new CommandSpec(
        "help",
        "print the help text of a command, or of the program",
        "Prints the help text of COMMAND; without COMMAND, the help text of the program.",
        List.of("[COMMAND]"),
        List.of(),
        new CommandSpec.Operand("COMMAND", "the name of a command", true),
        List.of(
            new CommandSpec.ExitStatus(0, "printed"),
            new CommandSpec.ExitStatus(2, "usage: an invalid flag, or an unknown command")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal) throws UsageException {
    terminal
        .out()
        .print(
            arguments.operands().isEmpty()
                ? HelpText.of(CommandLine.programSpec(), commands.get())
                : HelpText.of(
                    CommandSpec.find(arguments.operands().getFirst(), commands.get()), List.of()));
    return ExitCode.DONE;
  }
}
