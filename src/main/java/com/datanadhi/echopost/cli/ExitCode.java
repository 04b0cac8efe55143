package com.datanadhi.echopost.cli;

/// The process's exit statuses.
public enum ExitCode {
  /// The agent ended with nothing pending, and this run rejected nothing.
  DRAINED(0),
  /// A command succeeded.
  DONE(0),
  /// The storage failed or was damaged, or an unexpected failure occurred; accepted records are on
  /// disk.
  FATAL(1),
  /// The arguments or the directory cannot be used.
  USAGE(2),
  /// Another running agent owns the directory.
  OWNED(3),
  /// A signal ended the agent with records pending; they are on disk.
  STOPPED(4),
  /// The agent ended with nothing pending, but this run moved records to `rejected`.
  REJECTED(5);

  private final int code;

  ExitCode(int code) {
    this.code = code;
  }

  /// The exit status.
  public int code() {
    return code;
  }
}
