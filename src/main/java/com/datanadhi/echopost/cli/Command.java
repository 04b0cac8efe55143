package com.datanadhi.echopost.cli;

import java.util.List;

/// The task of one invocation of the program.
public sealed interface Command {
  /// Run the agent.
  record Run(Options options) implements Command {}

  /// Print `text` on standard output and exit with status 0.
  record Print(String text) implements Command {}

  /// Print the help text of the program and exit with status 0.
  record Help() implements Command {}

  /// Run an operator's command.
  ///
  /// @param name the command's name, which may be unknown
  /// @param arguments the arguments after the name
  record Operate(String name, List<String> arguments) implements Command {}
}
