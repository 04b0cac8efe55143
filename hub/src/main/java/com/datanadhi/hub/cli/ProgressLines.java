package com.datanadhi.hub.cli;

import com.datanadhi.hub.restore.RestoreProgress;
import com.datanadhi.hub.time.Clock;
import java.io.Console;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Shows how far long work is, with its rate and the time that is left: one line on standard error
/// that is written again each half second, if a person looks at a terminal. Not thread-safe.
final class ProgressLines implements RestoreProgress {
  private static final long PAUSE_NANOS = 500_000_000;
  private static final String CLEAR = "\r\u001b[K";

  private final Session session;
  private final Clock clock;
  private final boolean isShown;
  private @Nullable String tenant;
  private long firstSeq;
  private long firstNanos;
  private long shownNanos;
  private boolean isOnLine;

  ProgressLines(Session session, Clock clock) {
    this.session = session;
    this.clock = clock;
    isShown = Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
  }

  @Override
  public void at(String newTenant, long seq, long total) {
    if (!isShown) {
      return;
    }
    long now = clock.nanoTime();
    if (!newTenant.equals(tenant)) {
      tenant = newTenant;
      firstSeq = seq;
      firstNanos = now;
      shownNanos = now;
    }
    if (now - shownNanos < PAUSE_NANOS) {
      return;
    }
    shownNanos = now;
    double rate = (seq - firstSeq) * 1e9 / (now - firstNanos);
    String left =
        rate < 1
            ? ""
            : ", " + StatusText.span(Duration.ofSeconds((long) ((total - seq) / rate))) + " left";
    session
        .err()
        .text(
            CLEAR
                + String.format(
                    "%s: %,d of %,d records, %,.0f/s%s", newTenant, seq, total, rate, left));
    session.err().flush();
    isOnLine = true;
  }

  /// Removes the line.
  void end() {
    if (isOnLine) {
      session.err().text(CLEAR);
      session.err().flush();
    }
  }
}
