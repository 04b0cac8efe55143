package com.datanadhi.sdk.internal.logging;

import com.datanadhi.sdk.internal.time.Clock;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The SDK's own log, written to the logger {@code com.datanadhi.sdk}. A message that can repeat
 * often is logged about once in 10 s, so that an outage does not fill the application's log.
 * Exceptions and errors of the application's logging are ignored. Thread-safe.
 */
public final class RateLimitedLog {
  /** The name of the logger, and the prefix of all logger names in the SDK. */
  public static final String LOGGER = "com.datanadhi.sdk";

  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** Looked up by the first message: that can take the locks of the logging library. */
  private volatile @Nullable Logger logger;

  private final Map<String, Repeated> repeated = new ConcurrentHashMap<>();
  private final Clock clock;

  /** Measures the intervals with {@code clock}. */
  public RateLimitedLog(Clock clock) {
    this.clock = clock;
  }

  /** Logs the message. */
  public void log(Level level, String message) {
    try {
      Logger known = logger;
      if (known == null) {
        known = System.getLogger(LOGGER);
        logger = known;
      }
      known.log(level, message);
    } catch (RuntimeException | Error loggingFailed) {
      // There is no other place to report it.
    }
  }

  /**
   * Logs the message unless one with the same {@code subject} was logged within the last 10 s. The
   * next message that is logged includes how many were left out.
   */
  public void logRateLimited(Level level, String subject, String message) {
    long now = clock.nanos();
    Repeated before = repeated.get(subject);
    if (before != null && now - before.loggedAt < INTERVAL_NANOS) {
      repeated.computeIfPresent(subject, (same, r) -> new Repeated(r.loggedAt, r.omitted + 1));
      return;
    }
    repeated.put(subject, new Repeated(now, 0));
    String omitted =
        before == null || before.omitted == 0
            ? ""
            : " (" + before.omitted + " similar messages were not logged)";
    log(level, message + omitted);
  }

  private record Repeated(long loggedAt, int omitted) {}
}
