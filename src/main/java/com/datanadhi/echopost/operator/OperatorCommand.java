package com.datanadhi.echopost.operator;

import com.datanadhi.echopost.agent.ExitCode;
import com.datanadhi.echopost.buffer.StorageException;
import com.datanadhi.echopost.cli.Flags;
import com.datanadhi.echopost.cli.UsageException;
import java.io.IOException;
import java.util.Map;

/// One thing that an operator can ask the program for; [Operators] lists them all. Has no state.
interface OperatorCommand {
  /// The word on the command line.
  String name();

  /// What it does, in a line of the main usage text.
  String summary();

  /// The text for `-h`, without the flags that every command has.
  String usage();

  /// Its own flags, beside those that every command has.
  Map<String, Flags.Kind> flags();

  /// How many arguments that are no flags it takes.
  default int operands() {
    return 0;
  }

  /// Does it.
  ///
  /// @return the exit status when nothing failed
  /// @throws UsageException when `arguments` make no sense, with what to do instead
  /// @throws StorageException when the buffer cannot be used
  ExitCode run(Arguments arguments, Terminal terminal)
      throws UsageException, StorageException, IOException, InterruptedException;
}
