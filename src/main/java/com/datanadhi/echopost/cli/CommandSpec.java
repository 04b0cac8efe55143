package com.datanadhi.echopost.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// The complete description of a command, or of the program itself. The argument parser, the help
/// texts, the man page and the shell completions are derived from it, so that they cannot differ.
///
/// @param name the command's name; empty for the program
/// @param summary what it does, in one line without a full stop
/// @param description what it does, in paragraphs separated by an empty line
/// @param synopses what may follow `echopost`, a line for each way to call it
/// @param flags in the order in which they are listed
/// @param operand the argument that is not a flag; null if there is none
/// @param environment the environment variables that it reads
/// @param exitStatuses in ascending order
public record CommandSpec(
    String name,
    String summary,
    String description,
    List<String> synopses,
    List<Flag> flags,
    @Nullable Operand operand,
    List<Variable> environment,
    List<ExitStatus> exitStatuses) {
  /// The flag that every command has.
  public static final Flag HELP = Flag.withoutValue("h", "print this text");

  /// An argument that is not a flag.
  ///
  /// @param name as in [Flag#placeholder]; `COMMAND` is completed with the names of the commands
  public record Operand(String name, String description, boolean isOptional) {}

  /// An environment variable.
  public record Variable(String name, String description) {}

  /// An exit status and its meaning.
  public record ExitStatus(int code, String meaning) {}

  /// The description of a command that reads no environment variable.
  public CommandSpec(
      String name,
      String summary,
      String description,
      List<String> synopses,
      List<Flag> flags,
      @Nullable Operand operand,
      List<ExitStatus> exitStatuses) {
    this(name, summary, description, synopses, flags, operand, List.of(), exitStatuses);
  }

  /// The one of `commands` that is called `name`.
  ///
  /// @throws UsageException if there is none
  public static CommandSpec find(String name, List<CommandSpec> commands) throws UsageException {
    return commands.stream()
        .filter(command -> command.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new UsageException("unknown command '" + name + "': 'echopost -h' lists the commands"));
  }
}
