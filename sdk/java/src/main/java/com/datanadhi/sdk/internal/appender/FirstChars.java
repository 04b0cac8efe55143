package com.datanadhi.sdk.internal.appender;

import java.io.Writer;

/** Keeps the first characters, and ends the writing with an exception then. Not thread-safe. */
final class FirstChars extends Writer {
  private final StringBuilder text = new StringBuilder();
  private final int max;

  FirstChars(int max) {
    this.max = max;
  }

  /** There are as many characters as are wanted. */
  static final class FullException extends RuntimeException {
    private static final long serialVersionUID = 1;

    FullException() {
      super(null, null, false, false);
    }
  }

  @Override
  public void write(char[] chars, int from, int count) {
    text.append(chars, from, Math.min(count, max - text.length()));
    if (text.length() == max) {
      throw new FullException();
    }
  }

  @Override
  public void flush() {}

  @Override
  public void close() {}

  /** What was written. */
  @Override
  public String toString() {
    return text.toString();
  }
}
