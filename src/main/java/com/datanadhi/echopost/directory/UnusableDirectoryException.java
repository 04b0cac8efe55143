package com.datanadhi.echopost.directory;

/// The directory cannot be the agent's: the message says why and how to mend it, in one line.
public final class UnusableDirectoryException extends Exception {
  private static final long serialVersionUID = 1L;

  public UnusableDirectoryException(String message) {
    super(message);
  }
}
