package com.datanadhi.echopost.testkit;

import java.io.Console;

/// A progress line. On a terminal it is redrawn in place, at most ten times a second; elsewhere a
/// new line is printed, at most once a second.
public final class Progress {
  private final String what;
  private final long total;
  private final boolean terminal = isTerminal();
  private long shownNanos;

  /// @param what the word before the count
  /// @param total the final count
  public Progress(String what, long total) {
    this.what = what;
    this.total = total;
  }

  @SuppressWarnings("SystemConsoleNull") // the console is null if standard output is not a terminal
  private static boolean isTerminal() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  /// Shows `count`, unless the line was updated a short time ago.
  public void show(long count) {
    long now = System.nanoTime();
    if (shownNanos != 0
        && now - shownNanos < (terminal ? 100_000_000L : 1_000_000_000L)
        && count < total) {
      return;
    }
    shownNanos = now;
    if (terminal) {
      System.out.printf("\r  %s %,d of %,d (%d %%)", what, count, total, 100 * count / total);
      System.out.flush();
    } else if (count < total) {
      System.out.printf("  %s %,d of %,d (%d %%)%n", what, count, total, 100 * count / total);
    }
  }

  /// Ends the line.
  public void end() {
    if (terminal) {
      System.out.println();
    }
  }
}
