package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.time.Clock;
import java.time.Duration;

/// Decides on doubtful answers: is the record bad, or is the server not quite back?
///
/// Where the record before it was accepted within the last 10 s, the record is to blame, and it is
/// given up after 5 attempts. Else the server is in doubt: no record is given up before it had 5
/// attempts and 2 minutes have passed since the first of an unbroken run of that status; from then
/// on each record after it gets one attempt while the run lasts, so that a long run of bad records
/// drains. Any other answer ends the run. Kept in memory alone: a restart begins anew. Confined to
/// one thread.
final class PoisonPolicy {
  static final int ATTEMPTS = 5;
  static final Duration FRESH = Duration.ofSeconds(10);
  static final Duration RUN = Duration.ofMinutes(2);

  private final Clock clock;

  // The last acceptance: of which record, and when.
  private long acceptedId = -1;
  private long acceptedNanos;

  // The run of one doubtful status.
  private int runStatus;
  private long runSince;
  private boolean runRejects;

  // The record that is being tried.
  private long recordId = -1;
  private int attempts;
  private boolean toBlame;

  PoisonPolicy(Clock clock) {
    this.clock = clock;
  }

  /// The server has taken record `id`.
  void accepted(long id) {
    acceptedId = id;
    acceptedNanos = clock.nanos();
    endRun();
  }

  /// Another answer came, or none at all: the run is over, and the record's attempts begin anew.
  void endRun() {
    runStatus = 0;
    runRejects = false;
    recordId = -1;
  }

  /// Record `id` got a doubtful answer.
  ///
  /// @return whether to give it up now
  boolean givesUp(long id, int status) {
    long now = clock.nanos();
    if (id != recordId) {
      recordId = id;
      attempts = 0;
      toBlame = acceptedId == id - 1 && now - acceptedNanos <= FRESH.toNanos();
    }
    attempts++;
    if (status != runStatus) {
      runStatus = status;
      runSince = now;
      runRejects = false;
    }
    if (toBlame) {
      return attempts >= ATTEMPTS;
    }
    if (runRejects) {
      return true;
    }
    runRejects = attempts >= ATTEMPTS && now - runSince >= RUN.toNanos();
    return runRejects;
  }
}
