package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.ExitCode;
import com.datanadhi.echopost.cli.UsageException;
import com.datanadhi.echopost.operator.print.Terminal;
import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;

/// One thing that an operator can ask the program for; [Commands] lists them all. Has no state.
interface OperatorCommand {
  /// What it is called, takes and does. [Commands] adds what all commands have: `-h`, and that a
  /// wrong use ends with status 2.
  CommandSpec manual();

  /// Does it.
  ///
  /// @return the exit status when nothing failed
  /// @throws UsageException when `arguments` make no sense, with what to do instead
  /// @throws StorageException when the buffer cannot be used
  ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException;
}
