package com.datanadhi.hub.apply;

import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Notices a wall clock that steps, because what is old is decided by it: nothing is removed from
/// then until an operator accepts the clock. It is remembered across restarts.
///
/// A log record has the time of its append, and keys are forgotten by these times. So after a large
/// step forward new records get the time that goes on from before it, until the clock is accepted
/// or comes back. A smaller step is followed: a machine that slept has one too. Thread-safe.
public final class ClockGuard {
  /// A difference between the wall clock and the steady one that counts as a step.
  static final long STEP_MILLIS = 60_000;

  /// How far the wall clock may stand before the last stored moment at start.
  static final long BEHIND_MILLIS = 3_600_000;

  private static final long LARGEST_FOLLOWED_STEP_MILLIS = Duration.ofDays(1).toMillis();
  private static final String NOT_FOLLOWED = "not followed";

  private final Clock clock;
  private final Path file;
  private final long followedStepMillis;
  private long lastWall;
  private long lastNano;
  private @Nullable String reason;
  private @Nullable Continued continued;

  /// The time that goes on from before a step.
  private record Continued(long fromMillis, long fromNano) {
    long at(long nano) {
      return fromMillis + (nano - fromNano) / 1_000_000;
    }
  }

  /// @param file remembers a step that is not accepted
  /// @param lastStoredAt the time of the last log record, in milliseconds since 1970; 0 if there is
  ///   none
  /// @param keyHorizon steps forward are followed up to half of it, at most a day
  public ClockGuard(Clock clock, Path file, long lastStoredAt, Duration keyHorizon)
      throws IOException {
    this.clock = clock;
    this.file = file;
    followedStepMillis =
        Math.max(STEP_MILLIS, Math.min(LARGEST_FOLLOWED_STEP_MILLIS, keyHorizon.toMillis() / 2));
    lastWall = clock.wallMillis();
    lastNano = clock.nanoTime();
    if (Files.exists(file)) {
      List<String> lines = Files.readString(file).lines().toList();
      reason = lines.isEmpty() ? "it stepped" : lines.getFirst();
      boolean wasFollowed = !lines.contains(NOT_FOLLOWED);
      if (!wasFollowed && lastStoredAt > 0 && lastWall - lastStoredAt > followedStepMillis) {
        continued = new Continued(lastStoredAt, lastNano);
      }
    }
    if (lastWall < lastStoredAt - BEHIND_MILLIS) {
      step("it stands " + (lastStoredAt - lastWall) / 1000 + " s before the last stored record");
    }
  }

  /// A clock for the times of log records.
  public Clock forRecords() {
    return new Clock() {
      @Override
      public long wallMillis() {
        return now();
      }

      @Override
      public long nanoTime() {
        return clock.nanoTime();
      }
    };
  }

  /// Compares the clocks; called every few seconds.
  public void turn() {
    long _ = now();
  }

  private synchronized long now() {
    long wall = clock.wallMillis();
    long nano = clock.nanoTime();
    long before = lastWall + (nano - lastNano) / 1_000_000;
    lastWall = wall;
    lastNano = nano;
    Continued held = continued;
    if (held == null && wall - before > followedStepMillis) {
      held = new Continued(before, nano);
    } else if (held != null && wall - held.at(nano) <= followedStepMillis) {
      held = null;
    }
    boolean hasChanged = (held == null) != (continued == null);
    continued = held;
    if (Math.abs(wall - before) > STEP_MILLIS) {
      step("it stepped by " + (wall - before) / 1000 + " s");
    } else if (hasChanged) {
      remember();
    }
    return held == null ? wall : held.at(nano);
  }

  private void step(String why) {
    reason = why;
    Events.severe("clock_stepped", null, "reason", why, "followed", continued == null);
    remember();
  }

  private void remember() {
    try {
      if (!Files.exists(file)) {
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      }
      Files.writeString(file, reason + "\n" + (continued == null ? "" : NOT_FOLLOWED + "\n"));
    } catch (IOException failed) {
      Events.warning("clock_step_not_remembered", "reason", failed.toString());
    }
  }

  /// Whether nothing is to be removed.
  public synchronized boolean isPaused() {
    turn(); // else what is removed right after a step is decided by the wrong clock
    return reason != null;
  }

  /// What the clock did, or null if it is trusted.
  public synchronized @Nullable String reason() {
    return reason == null || continued == null
        ? reason
        : reason + "; new records get the time that goes on from before";
  }

  /// An operator accepts the clock as it is.
  public synchronized void accept() throws IOException {
    Files.deleteIfExists(file);
    reason = null;
    continued = null;
    lastWall = clock.wallMillis();
    lastNano = clock.nanoTime();
    Events.info("clock_accepted");
  }
}
