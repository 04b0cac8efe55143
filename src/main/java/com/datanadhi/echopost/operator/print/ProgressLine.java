package com.datanadhi.echopost.operator.print;

import com.datanadhi.echopost.time.Clock;
import java.time.Duration;

/// Prints the progress of a command that takes long, on standard error.
public final class ProgressLine {
  private static final Duration INTERVAL = Duration.ofSeconds(2);

  private final Terminal terminal;
  private final Clock clock;
  private long printedNanos;

  public ProgressLine(Terminal terminal, Clock clock) {
    this.terminal = terminal;
    this.clock = clock;
    this.printedNanos = clock.nanos();
  }

  /// Prints `text` if nothing was printed for two seconds.
  public void update(String text) {
    if (clock.nanos() - printedNanos > INTERVAL.toNanos()) {
      print(text);
    }
  }

  /// Prints `text`.
  public void print(String text) {
    printedNanos = clock.nanos();
    terminal.printError(text);
  }
}
