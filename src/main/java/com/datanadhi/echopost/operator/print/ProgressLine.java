package com.datanadhi.echopost.operator.print;

import com.datanadhi.echopost.time.Clock;
import java.time.Duration;

/// Says on standard error how far a command has come, when it takes long.
public final class ProgressLine {
  private static final Duration EVERY = Duration.ofSeconds(2);

  private final Terminal terminal;
  private final Clock clock;
  private long saidNanos;

  public ProgressLine(Terminal terminal, Clock clock) {
    this.terminal = terminal;
    this.clock = clock;
    this.saidNanos = clock.nanos();
  }

  /// Prints `text`, unless it is too soon for that.
  public void say(String text) {
    if (clock.nanos() - saidNanos > EVERY.toNanos()) {
      sayNow(text);
    }
  }

  /// Prints `text`.
  public void sayNow(String text) {
    saidNanos = clock.nanos();
    terminal.err().println("echopost: " + text);
  }
}
