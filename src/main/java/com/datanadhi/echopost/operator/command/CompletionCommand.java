package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandLine;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.ShellCompletions;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.Terminal;
import java.util.List;
import java.util.function.Supplier;

/// `echopost completion`: prints a completion script for a shell.
final class CompletionCommand implements OperatorCommand {
  private final Supplier<List<CommandSpec>> commands;

  /// @param commands the descriptions of all commands; called when the command is run
  CompletionCommand(Supplier<List<CommandSpec>> commands) {
    this.commands = commands;
  }

  @Override
  public CommandSpec spec() {
    return new CommandSpec(
        "completion",
        "print a completion script for bash, zsh or fish",
        """
        Prints a script that lets the shell complete commands, flags, directories and files. To load it whenever the shell \
        starts:

        bash, in ~/.bashrc: eval "$(echopost completion bash)"

        zsh, in ~/.zshrc, after compinit: eval "$(echopost completion zsh)"

        fish: echopost completion fish > ~/.config/fish/completions/echopost.fish\
        """,
        List.of("bash|zsh|fish"),
        List.of(),
        new CommandSpec.Operand("bash|zsh|fish", "the shell", false),
        List.of(
            new CommandSpec.ExitStatus(0, "printed"),
            new CommandSpec.ExitStatus(2, "usage: an invalid flag, or an unknown shell")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal) throws UsageException {
    String shell = arguments.operands().getFirst();
    ShellCompletions completions = new ShellCompletions(CommandLine.programSpec(), commands.get());
    terminal
        .out()
        .print(
            switch (shell) {
              case "bash" -> completions.bash();
              case "zsh" -> completions.zsh();
              case "fish" -> completions.fish();
              default ->
                  throw new UsageException("unknown shell '" + shell + "': give bash, zsh or fish");
            });
    return ExitCode.DONE;
  }
}
