package com.datanadhi.hub.cli;

/// The command failed: exit status 1.
final class FailedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  FailedException(String message) {
    super(message);
  }
}
