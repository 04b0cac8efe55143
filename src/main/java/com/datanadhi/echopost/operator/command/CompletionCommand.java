package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.ShellCompletions;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.Terminal;
import java.util.List;

/// `echopost completion`: what a shell needs to complete the program's words.
final class CompletionCommand implements OperatorCommand {
  @Override
  public CommandSpec manual() {
    return new CommandSpec(
        "completion",
        "print a script that completes words for bash, zsh or fish",
        """
        Prints a script with which a shell completes commands, flags, directories and files. To load it where the shell \
        starts:

        bash, in ~/.bashrc: eval "$(echopost completion bash)"

        zsh, in ~/.zshrc, after compinit: eval "$(echopost completion zsh)"

        fish: echopost completion fish > ~/.config/fish/completions/echopost.fish\
        """,
        List.of("bash|zsh|fish"),
        List.of(),
        new CommandSpec.Operand("bash|zsh|fish", "the shell", false),
        List.of(new CommandSpec.Exit(0, "printed")));
  }

  @Override
  public ExitCode run(Arguments arguments, Terminal terminal) throws UsageException {
    String shell = arguments.operands().getFirst();
    terminal
        .out()
        .print(
            switch (shell) {
              case "bash" -> ShellCompletions.bash();
              case "zsh" -> ShellCompletions.zsh();
              case "fish" -> ShellCompletions.fish();
              default ->
                  throw new UsageException("no completions for '" + shell + "': bash, zsh or fish");
            });
    return ExitCode.DONE;
  }
}
