package com.datanadhi.echopost.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// All there is to say about one thing that the program can be asked to do. The parser, the help
/// text, the man page and the shells' completions are made of it, so that they cannot differ.
///
/// @param name the command's word; empty for the agent's own run
/// @param summary what it does, in a line without a full stop
/// @param description what it does, in paragraphs with an empty line between them
/// @param forms what may follow `echopost`, a line for each way to use it
/// @param flags in the order in which they are listed
/// @param operand the argument that is no flag; null where there is none
/// @param environment the variables that count
/// @param exits how it can end, by rising status
public record CommandSpec(
    String name,
    String summary,
    String description,
    List<String> forms,
    List<Flag> flags,
    @Nullable Operand operand,
    List<Variable> environment,
    List<Exit> exits) {
  /// The flag that every command has.
  public static final Flag HELP = Flag.toggle("h", "print this text");

  /// An argument that is no flag.
  ///
  /// @param name as in [Flag#value]; `COMMAND` is completed with the commands' names
  /// @param isOptional whether it may be left out
  public record Operand(String name, String text, boolean isOptional) {}

  /// An environment variable.
  public record Variable(String name, String text) {}

  /// An exit status.
  public record Exit(int status, String text) {}

  /// What a command that reads no environment says of itself.
  public CommandSpec(
      String name,
      String summary,
      String description,
      List<String> forms,
      List<Flag> flags,
      @Nullable Operand operand,
      List<Exit> exits) {
    this(name, summary, description, forms, flags, operand, List.of(), exits);
  }
}
