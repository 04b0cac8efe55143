package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;

/// One of the operator's commands, all of which [Commands] lists. Has no state.
interface OperatorCommand {
  /// The description of the command. [Commands] adds what all commands have in common: the flag
  /// `-h`, and status 2 for a usage error.
  CommandSpec spec();

  /// Runs the command.
  ///
  /// @return the exit status
  /// @throws UsageException if `arguments` are not valid; the message states how to correct them
  /// @throws StorageException if the buffer cannot be used
  ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException;
}
