package com.datanadhi.echopost.cli;

/// The exit statuses of the agent and of the operator's commands.
public enum ExitCode {
  /// The agent ended with nothing pending, and this run rejected nothing.
  DRAINED(0),
  /// A command succeeded.
  DONE(0),
  /// The storage failed or was damaged, or an unexpected failure occurred; accepted records are on
  /// disk. A command: it failed, or found a problem.
  FATAL(1),
  /// The arguments or the directory cannot be used.
  USAGE(2),
  /// Another process holds the directory. `verify`: it could not check everything beside an agent.
  OWNED(3),
  /// A signal ended the agent with records pending; they are on disk. `status`: records are pending
  /// and no agent runs.
  STOPPED(4),
  /// The agent ended with nothing pending, but this run moved records to `rejected`. `status`:
  /// there are rejected records.
  REJECTED(5);

  private final int code;

  ExitCode(int code) {
    this.code = code;
  }

  /// The exit status of the process.
  public int code() {
    return code;
  }
}
