package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.Flag;
import com.datanadhi.echopost.cli.Options;

/// Flags that several commands have.
final class SharedFlags {
  static final Flag DIRECTORY =
      Flag.withValue(
          "datanadhi", "DIR", "the agent's directory (default " + Options.DEFAULT_DIRECTORY + ")");

  static final Flag JSON = Flag.withoutValue("json", "print JSON, for scripts");

  /// For a command that prints nothing but JSON, so that scripts can use the flag everywhere.
  static final Flag JSON_ALWAYS =
      Flag.withoutValue("json", "accepted, but has no effect: the output is always JSON");

  private SharedFlags() {}
}
