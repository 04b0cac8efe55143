package com.datanadhi.sdk.internal.logging;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * What the SDK says of itself, to the logger {@code com.datanadhi.sdk}. Whoever repeats himself is
 * heard once in a while, so that a world in trouble does not fill the log with it. Never throws:
 * the application's logging may be what is broken.
 */
public final class RateLimitedLog {
  /** The logger, and the start of all our loggers' names. */
  public static final String LOGGER = "com.datanadhi.sdk";

  private static final long QUIET = TimeUnit.SECONDS.toNanos(10);

  private final Logger logger = System.getLogger(LOGGER);
  private final Map<String, Repeated> repeated = new ConcurrentHashMap<>();

  /** Says it now. */
  public void say(Level level, String message) {
    try {
      logger.log(level, message);
    } catch (RuntimeException broken) {
      // Nobody is left to tell.
    }
  }

  /** Says it unless something about {@code subject} was said within the last 10 s. */
  public void sayAtTimes(Level level, String subject, String message) {
    long now = System.nanoTime();
    Repeated before = repeated.get(subject);
    if (before != null && now - before.saidAt < QUIET) {
      repeated.computeIfPresent(subject, (same, r) -> new Repeated(r.saidAt, r.unsaid + 1));
      return;
    }
    repeated.put(subject, new Repeated(now, 0));
    String more =
        before == null || before.unsaid == 0 ? "" : " (and " + before.unsaid + " times more since)";
    say(level, message + more);
  }

  private record Repeated(long saidAt, int unsaid) {}
}
