package com.datanadhi.sdk.internal.logging;

/**
 * Messages for the case that the application's logging does not work: before it is configured, or
 * at the end of the process. Thread-safe.
 */
public final class StandardError {
  private StandardError() {}

  /** Prints one line on {@link System#err}. */
  public static void print(String message) {
    System.err.println("Data Nadhi SDK: " + message.replace('\n', ' '));
  }
}
