package com.datanadhi.echopost.cli;

/// What the caller asked for cannot be done as asked: the message says what is wrong and how to
/// mend it, in one line.
public final class UsageException extends Exception {
  private static final long serialVersionUID = 1L;

  /// @param message one line for standard error
  public UsageException(String message) {
    super(message);
  }
}
