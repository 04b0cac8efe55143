package com.datanadhi.echopost.agent;

/// How a run ended, as scripts see it.
public enum ExitCode {
  /// Nothing pending, nothing rejected in this run.
  DRAINED(0),
  /// What was asked for is done, and it was not to run an agent.
  DONE(0),
  /// The storage cannot be used, or something that must never happen did; what was accepted is on
  /// disk.
  FATAL(1),
  /// The caller asked for something that cannot be done.
  USAGE(2),
  /// Another live agent owns the directory.
  OWNED(3),
  /// A signal came with records pending; they are on disk.
  STOPPED(4),
  /// Nothing pending, but this run put records into `rejected`.
  REJECTED(5);

  private final int code;

  ExitCode(int code) {
    this.code = code;
  }

  /// The process's exit status.
  public int code() {
    return code;
  }
}
