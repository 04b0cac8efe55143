package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandLine;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.HelpText;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.directory.UnusableDirectoryException;
import com.datanadhi.echopost.directory.Workspace;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// The commands that operators have.
public final class Commands {
  /// All of them, as they are listed: a new one is a class, and a line here.
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
          new CompletionCommand(),
          new HelpCommand());

  private Commands() {}

  /// What there is to say about each command.
  public static List<CommandSpec> manuals() {
    return COMMANDS.stream().map(Commands::manual).toList();
  }

  /// What the program can be asked to do.
  public static String overview() {
    return HelpText.of(CommandLine.manual(), manuals());
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
    OperatorCommand command = find(name);
    CommandSpec manual = manual(command);
    Arguments arguments = Arguments.parse(manual, words);
    ExitCode code = ExitCode.DONE;
    if (arguments.wantHelp()) {
      terminal.out().print(HelpText.of(manual, List.of()));
    } else {
      arguments.checkOperands(manual);
      if (manual.flags().contains(SharedFlags.DIRECTORY)) {
        checkDirectory(arguments);
      }
      code = command.run(arguments, terminal);
    }
    terminal.flush();
    return code;
  }

  private static void checkDirectory(Arguments arguments) throws UsageException, IOException {
    try {
      Workspace.checkForCommand(arguments.directory());
    } catch (UnusableDirectoryException unusable) {
      throw new UsageException(String.valueOf(unusable.getMessage()));
    }
  }

  /// What there is to say about the command called `name`.
  ///
  /// @throws UsageException when there is none
  static CommandSpec manual(String name) throws UsageException {
    return manual(find(name));
  }

  private static OperatorCommand find(String name) throws UsageException {
    return COMMANDS.stream()
        .filter(known -> known.manual().name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new UsageException("unknown command '" + name + "'; 'echopost -h' says what there is"));
  }

  private static CommandSpec manual(OperatorCommand command) {
    CommandSpec own = command.manual();
    List<CommandSpec.Exit> exits = new ArrayList<>(own.exits());
    if (exits.stream().noneMatch(exit -> exit.status() == SharedFlags.USAGE.status())) {
      exits.add(SharedFlags.USAGE);
    }
    exits.sort(Comparator.comparingInt(CommandSpec.Exit::status));
    return new CommandSpec(
        own.name(),
        own.summary(),
        own.description(),
        own.forms().stream().map(form -> (own.name() + " " + form).strip()).toList(),
        Stream.concat(own.flags().stream(), Stream.of(CommandSpec.HELP)).toList(),
        own.operand(),
        own.environment(),
        exits);
  }
}
