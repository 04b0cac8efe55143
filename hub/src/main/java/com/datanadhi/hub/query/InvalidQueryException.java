package com.datanadhi.hub.query;

/// What was asked for makes no sense, and never will. The message tells the sender what to change.
public final class InvalidQueryException extends Exception {
  private static final long serialVersionUID = 1;

  InvalidQueryException(String message) {
    super(message);
  }
}
