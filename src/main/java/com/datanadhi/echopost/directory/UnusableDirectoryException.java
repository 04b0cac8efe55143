package com.datanadhi.echopost.directory;

/// The agent cannot use the directory. The message is one line with the reason and how to fix it.
public final class UnusableDirectoryException extends Exception {
  private static final long serialVersionUID = 1L;

  public UnusableDirectoryException(String message) {
    super(message);
  }
}
