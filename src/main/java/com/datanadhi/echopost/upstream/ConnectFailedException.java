package com.datanadhi.echopost.upstream;

/// No connection to the main server could be made.
final class ConnectFailedException extends Exception {
  private static final long serialVersionUID = 1L;

  ConnectFailedException(String message) {
    super(message);
  }
}
