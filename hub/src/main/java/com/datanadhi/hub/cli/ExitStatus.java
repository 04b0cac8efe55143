package com.datanadhi.hub.cli;

/// The exit statuses of all commands.
final class ExitStatus {
  static final int DONE = 0;

  /// Fatal, or something is wrong with what was looked at.
  static final int FAILED = 1;

  static final int USAGE = 2;

  /// Another hub owns DIR.
  static final int OWNED = 3;

  private ExitStatus() {}
}
