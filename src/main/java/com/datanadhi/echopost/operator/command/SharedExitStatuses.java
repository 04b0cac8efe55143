package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandSpec;

/// Descriptions of exit statuses that several commands have.
final class SharedExitStatuses {
  static final CommandSpec.ExitStatus BUFFER_UNUSABLE =
      new CommandSpec.ExitStatus(1, "the buffer cannot be used");

  static final CommandSpec.ExitStatus USAGE =
      new CommandSpec.ExitStatus(2, "usage: an invalid flag or argument, or no buffer in DIR");

  private SharedExitStatuses() {}
}
