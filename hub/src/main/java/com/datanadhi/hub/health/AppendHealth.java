package com.datanadhi.hub.health;

import com.datanadhi.hub.time.Clock;
import org.jspecify.annotations.Nullable;

/// Whether an append would be accepted now: because one has succeeded lately, or a probe file was
/// synced. Thread-safe.
public final class AppendHealth {
  /// A success counts for this long. Without appends, a probe is due before that.
  public static final long FRESH_NANOS = 15_000_000_000L;

  /// Without a success for this long, a probe is due.
  public static final long PROBE_NANOS = 5_000_000_000L;

  private final Clock clock;
  private volatile long lastSuccess;
  private volatile boolean hasSucceeded;
  private volatile @Nullable String failure;

  public AppendHealth(Clock clock) {
    this.clock = clock;
  }

  /// An append or a probe became durable.
  public void succeeded() {
    lastSuccess = clock.nanoTime();
    hasSucceeded = true;
    failure = null;
  }

  /// An append or a probe failed.
  public void failed(String reason) {
    failure = reason;
  }

  public boolean isProbeDue() {
    return !hasSucceeded || failure != null || clock.nanoTime() - lastSuccess >= PROBE_NANOS;
  }

  /// Why an append would not be accepted, or null if it would be.
  public @Nullable String problem() {
    String failed = failure;
    if (failed != null) {
      return failed;
    }
    if (!hasSucceeded) {
      return "no append has been tried yet";
    }
    return clock.nanoTime() - lastSuccess > FRESH_NANOS
        ? "neither an append nor a probe has succeeded in the last 15 s"
        : null;
  }
}
