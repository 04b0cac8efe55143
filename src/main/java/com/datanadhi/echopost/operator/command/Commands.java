package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandLine;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.HelpText;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.directory.UnusableDirectoryException;
import com.datanadhi.echopost.directory.Workspace;
import com.datanadhi.echopost.operator.print.ReaderClosedException;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// All commands for operators. Start reading here.
public final class Commands {
  /// In the order in which help texts list them. To add a command, write its class and add it here.
  private static final List<OperatorCommand> COMMANDS =
      List.of(
          new StatusCommand(),
          new PeekCommand(),
          new ExportCommand(),
          new ImportCommand(),
          new VerifyCommand(),
          new LogsCommand(),
          new MetricsCommand(),
          new HealthCommand(),
          new RejectedCommand(),
          new RedriveCommand(),
          new SalvageCommand(),
          new CompletionCommand(Commands::specs),
          new HelpCommand(Commands::specs));

  private Commands() {}

  /// The descriptions of all commands.
  static List<CommandSpec> specs() {
    return COMMANDS.stream().map(Commands::completeSpec).toList();
  }

  /// The help text of the program.
  public static String programHelp() {
    return HelpText.of(CommandLine.programSpec(), specs());
  }

  /// Runs the command called `name` on the standard streams of this process.
  ///
  /// @return the exit status
  /// @throws UsageException if there is no such command, or `args` are not valid
  /// @throws StorageException if the buffer cannot be used
  public static ExitCode run(String name, List<String> args)
      throws UsageException, StorageException, IOException, InterruptedException {
    return run(name, args, Terminal.ofThisProcess());
  }

  static ExitCode run(String name, List<String> args, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException {
    CommandSpec spec = CommandSpec.find(name, specs());
    Arguments arguments = Arguments.parse(spec, args);
    ExitCode exitCode = ExitCode.DONE;
    try {
      if (arguments.wantsHelp()) {
        terminal.out().print(HelpText.of(spec, List.of()));
      } else {
        arguments.checkOperands(spec);
        if (spec.flags().contains(SharedFlags.DIRECTORY)) {
          checkDirectory(arguments);
        }
        exitCode = command(name).run(arguments, terminal);
      }
      terminal.flush();
    } catch (ReaderClosedException enough) {
      // As with head, the reader has all that it wants.
    }
    return exitCode;
  }

  private static void checkDirectory(Arguments arguments) throws UsageException, IOException {
    try {
      Workspace.checkForCommand(arguments.directory());
    } catch (UnusableDirectoryException unusable) {
      throw new UsageException(String.valueOf(unusable.getMessage()));
    }
  }

  private static OperatorCommand command(String name) {
    return COMMANDS.stream()
        .filter(command -> command.spec().name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /// The description of `command` together with what all commands have in common.
  private static CommandSpec completeSpec(OperatorCommand command) {
    CommandSpec own = command.spec();
    List<CommandSpec.ExitStatus> exitStatuses = new ArrayList<>(own.exitStatuses());
    CommandSpec.ExitStatus usage = SharedExitStatuses.USAGE;
    if (exitStatuses.stream().noneMatch(status -> status.code() == usage.code())) {
      exitStatuses.add(usage);
    }
    exitStatuses.sort(Comparator.comparingInt(CommandSpec.ExitStatus::code));
    return new CommandSpec(
        own.name(),
        own.summary(),
        own.description(),
        own.synopses().stream().map(synopsis -> (own.name() + " " + synopsis).strip()).toList(),
        Stream.concat(own.flags().stream(), Stream.of(CommandSpec.HELP)).toList(),
        own.operand(),
        own.environment(),
        exitStatuses);
  }
}
