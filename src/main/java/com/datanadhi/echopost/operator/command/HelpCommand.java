package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.HelpText;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.Terminal;
import java.util.List;

/// `echopost help`: says what the others are for.
final class HelpCommand implements OperatorCommand {
  @Override
  public CommandSpec manual() {
    return new CommandSpec(
        "help",
        "say what a command does, or what commands there are",
        "Says what COMMAND does and takes; without one, what the program can be asked to do.",
        List.of("[COMMAND]"),
        List.of(),
        new CommandSpec.Operand("COMMAND", "a command's name", true),
        List.of(new CommandSpec.Exit(0, "said")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal) throws UsageException {
    terminal
        .out()
        .print(
            arguments.operands().isEmpty()
                ? Commands.overview()
                : HelpText.of(Commands.manual(arguments.operands().getFirst()), List.of()));
    return ExitCode.DONE;
  }
}
