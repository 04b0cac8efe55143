package com.datanadhi.echopost.cli;

import java.util.List;

/// What one invocation of the program is for.
public sealed interface Command {
  /// Run the agent.
  record Run(Options options) implements Command {}

  /// Print `text` on standard output and succeed.
  record Print(String text) implements Command {}

  /// Print what the program can be asked to do, and succeed.
  record Help() implements Command {}

  /// Do what an operator asks for.
  ///
  /// @param name the command's, which may be unknown
  /// @param arguments what followed it
  record Operate(String name, List<String> arguments) implements Command {}
}
