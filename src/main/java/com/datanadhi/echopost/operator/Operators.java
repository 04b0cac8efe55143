package com.datanadhi.echopost.operator;

import com.datanadhi.echopost.agent.ExitCode;
import com.datanadhi.echopost.buffer.StorageException;
import com.datanadhi.echopost.cli.Options;
import com.datanadhi.echopost.cli.UsageException;
import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;

/// The commands that operators have.
public final class Operators {
  /// All of them: a new one is a class, and a line here.
  private static final List<OperatorCommand> COMMANDS =
      List.of(new RejectedCommand(), new RedriveCommand(), new SalvageCommand());

  private Operators() {}

  /// Each command and what it does, a line for each.
  public static String summaries() {
    return COMMANDS.stream()
        .map(command -> "  %-10s%s%n".formatted(command.name(), command.summary()))
        .collect(Collectors.joining());
  }

  /// Does the command called `name`, speaking on this process's standard streams.
  ///
  /// @return the exit status when nothing failed
  /// @throws UsageException when there is no such command, or `arguments` make no sense
  /// @throws StorageException when the buffer cannot be used
  public static ExitCode run(String name, List<String> arguments)
      throws UsageException, StorageException, IOException, InterruptedException {
    return run(name, arguments, Terminal.ofThisProcess());
  }

  static ExitCode run(String name, List<String> words, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    OperatorCommand command =
        COMMANDS.stream()
            .filter(known -> known.name().equals(name))
            .findFirst()
            .orElseThrow(() ->
                new UsageException(
                    "unknown command '" + name + "'; 'echopost -h' says what there is"));
    Arguments arguments = Arguments.parse(command, words);
    if (arguments.wantHelp()) {
      terminal.out().print(command.usage() + commonFlags());
      terminal.flush();
      return ExitCode.DONE;
    }
    arguments.checkOperands(command);
    ExitCode code = command.run(arguments, terminal);
    terminal.flush();
    return code;
  }

  private static String commonFlags() {
    return """
      -datanadhi DIR    the agent's directory (default %s)
      -h                print this text
    """
        .formatted(Options.DEFAULT_DIRECTORY);
  }
}
