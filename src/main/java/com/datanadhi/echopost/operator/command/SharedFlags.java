package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.Options;

/// What many commands say of themselves in the same words.
final class SharedFlags {
  static final Flag DIRECTORY =
      Flag.of(
          "datanadhi", "DIR", "the agent's directory (default " + Options.DEFAULT_DIRECTORY + ")");

  static final Flag JSON = Flag.toggle("json", "print JSON, for scripts");

  /// Of a command that prints nothing else: so that a script may always say it.
  static final Flag ALWAYS_JSON = Flag.toggle("json", "changes nothing: it prints JSON anyway");

  static final CommandSpec.Exit UNUSABLE = new CommandSpec.Exit(1, "the buffer cannot be used");

  static final CommandSpec.Exit USAGE =
      new CommandSpec.Exit(2, "usage: a bad flag or argument, or no buffer in DIR");

  private SharedFlags() {}
}
