package com.datanadhi.echopost.cli;

/// The arguments cannot be used. The message says in one line what is wrong and how to correct it.
public final class UsageException extends Exception {
  private static final long serialVersionUID = 1L;

  /// @param message one line for standard error
  public UsageException(String message) {
    super(message);
  }
}
