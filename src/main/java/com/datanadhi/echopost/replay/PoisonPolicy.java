package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.time.Clock;
import java.time.Duration;

/// Decides after a doubtful response whether to reject the record: is the record bad, or is the
/// server not fully available yet?
///
/// If the record before it was accepted within the last 10 s, the record is to blame and is
/// rejected after 5 attempts. Otherwise the server is in doubt: a record is rejected only after 5
/// attempts and when 2 minutes have passed since the first response of an unbroken run of this
/// status. From then on, while the run lasts, each following record gets one attempt, so that a
/// long run of bad records drains. Any other response ends the run. The state is in memory only: a
/// restart starts with none.
///
/// Not thread-safe: only the replay thread uses it.
final class PoisonPolicy {
  static final int ATTEMPTS = 5;
  static final Duration FRESH = Duration.ofSeconds(10);
  static final Duration RUN = Duration.ofMinutes(2);

  private final Clock clock;

  // The last accepted record.
  private long acceptedId = -1;
  private long acceptedNanos;

  // The current run of responses with one doubtful status; 0 is no run.
  private int runStatus;
  private long runStartNanos;
  private boolean runRejects;

  // The record whose delivery is being tried.
  private long recordId = -1;
  private int attempts;
  private boolean toBlame;

  PoisonPolicy(Clock clock) {
    this.clock = clock;
  }

  /// The server accepted record `id` at `nanos` of the clock.
  void accepted(long id, long nanos) {
    acceptedId = id;
    acceptedNanos = nanos;
    endRun();
  }

  /// A response that is not doubtful came, or none: ends the run and resets the record's attempts.
  void endRun() {
    runStatus = 0;
    runRejects = false;
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
      toBlame = acceptedId == id - 1 && now - acceptedNanos <= FRESH.toNanos();
    }
    attempts++;
    if (status != runStatus) {
      runStatus = status;
      runStartNanos = now;
      runRejects = false;
    }
    if (toBlame) {
      return attempts >= ATTEMPTS;
    }
    if (runRejects) {
      return true;
    }
    runRejects = attempts >= ATTEMPTS && now - runStartNanos >= RUN.toNanos();
    return runRejects;
  }
}
