package com.datanadhi.echopost.cli;

/// The arguments are not valid. The message states in one line the error and its correction.
public final class UsageException extends Exception {
  private static final long serialVersionUID = 1L;

  /// @param message one line for standard error
  public UsageException(String message) {
    super(message);
  }
}
