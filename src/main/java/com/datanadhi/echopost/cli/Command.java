package com.datanadhi.echopost.cli;

/// What one invocation of the program is for.
public sealed interface Command {
  /// Run the agent.
  record Run(Options options) implements Command {}

  /// Print `text` on standard output and succeed.
  record Print(String text) implements Command {}
}
