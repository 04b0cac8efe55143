package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.time.Clock;
import java.time.Duration;

/// Decides after a doubtful response whether to reject the record: is the record bad, or is the
/// server not fully available yet?
///
/// If the record before it was accepted within the last 10 s, the record is suspect and is rejected
/// after 5 attempts. Otherwise the server is in doubt: a record is rejected only after 5 attempts
/// and when 2 minutes have passed since the first response of an unbroken streak of this status.
/// From then on, while the streak lasts, each following record gets one attempt, so that a long
/// streak of bad records drains. Any other response ends the streak. The state is in memory only: a
/// restart starts with none.
///
/// Not thread-safe: only the replay thread uses it.
final class PoisonPolicy {
  static final int ATTEMPTS = 5;
  static final Duration LAST_SUCCESS_MAX_AGE = Duration.ofSeconds(10);
  static final Duration MIN_STREAK = Duration.ofMinutes(2);

  private final Clock clock;

  // The last accepted record.
  private long acceptedId = -1;
  private long acceptedNanos;

  // The current streak of responses with one doubtful status; 0 is no streak.
  private int streakStatus;
  private long streakStartNanos;
  private boolean streakRejects;

  // The record whose delivery is being tried.
  private long recordId = -1;
  private int attempts;
  private boolean recordIsSuspect;

  PoisonPolicy(Clock clock) {
    this.clock = clock;
  }

  /// The server accepted record `id` at `nanos` of the clock.
  void accepted(long id, long nanos) {
    acceptedId = id;
    acceptedNanos = nanos;
    endStreak();
  }

  /// A response that is not doubtful came, or none: ends the streak and resets the record's
  /// attempts.
  void endStreak() {
    streakStatus = 0;
    streakRejects = false;
    recordId = -1;
  }

  /// Counts a doubtful response to record `id`.
  ///
  /// @return whether to reject the record now
  boolean shouldReject(long id, int status) {
    long now = clock.nanos();
    if (id != recordId) {
      recordId = id;
      attempts = 0;
      recordIsSuspect =
          acceptedId == id - 1 && now - acceptedNanos <= LAST_SUCCESS_MAX_AGE.toNanos();
    }
    attempts++;
    if (status != streakStatus) {
      streakStatus = status;
      streakStartNanos = now;
      streakRejects = false;
    }
    if (recordIsSuspect) {
      return attempts >= ATTEMPTS;
    }
    if (streakRejects) {
      return true;
    }
    streakRejects = attempts >= ATTEMPTS && now - streakStartNanos >= MIN_STREAK.toNanos();
    return streakRejects;
  }
}
