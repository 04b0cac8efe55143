package com.datanadhi.hub.apply;

import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/// Notices a wall clock that steps, because what is old is decided by it: nothing is removed from
/// then until an operator accepts the clock. It is remembered across restarts. Thread-safe.
public final class ClockGuard {
  /// A difference between the wall clock and the steady one that counts as a step.
  static final long STEP_MILLIS = 60_000;

  /// How far the wall clock may stand before the last stored moment at start.
  static final long BEHIND_MILLIS = 3_600_000;

  private final Clock clock;
  private final Path file;
  private long lastWall;
  private long lastNano;
  private @Nullable String reason;

  /// @param file remembers a step that is not accepted
  /// @param lastStoredAt the time of the last log record, in milliseconds since 1970; 0 if there is
  ///   none
  public ClockGuard(Clock clock, Path file, long lastStoredAt) throws IOException {
    this.clock = clock;
    this.file = file;
    lastWall = clock.wallMillis();
    lastNano = clock.nanoTime();
    if (Files.exists(file)) {
      reason = Files.readString(file).strip();
    }
    if (lastWall < lastStoredAt - BEHIND_MILLIS) {
      step("it stands " + (lastStoredAt - lastWall) / 1000 + " s before the last stored record");
    }
  }

  /// Compares the clocks; called every few seconds.
  public synchronized void turn() {
    long wall = clock.wallMillis();
    long nano = clock.nanoTime();
    long difference = wall - lastWall - (nano - lastNano) / 1_000_000;
    lastWall = wall;
    lastNano = nano;
    if (Math.abs(difference) > STEP_MILLIS) {
      step("it stepped by " + difference / 1000 + " s");
    }
  }

  private void step(String why) {
    reason = why;
    Events.severe("clock_stepped", null, "reason", why);
    try {
      if (!Files.exists(file)) {
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      }
      Files.writeString(file, why + "\n");
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
    return reason;
  }

  /// An operator accepts the clock as it is.
  public synchronized void accept() throws IOException {
    Files.deleteIfExists(file);
    reason = null;
    lastWall = clock.wallMillis();
    lastNano = clock.nanoTime();
    Events.info("clock_accepted");
  }
}
