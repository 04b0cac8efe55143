package com.datanadhi.echopost.upstream;

/// A connection to the main server could not be made. The message is one line without secrets.
final class ConnectFailedException extends Exception {
  private static final long serialVersionUID = 1L;

  ConnectFailedException(String message) {
    super(message);
  }
}
