package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.time.Clock;

/// One pass of replay, for the log: from the first delivery after the server came up until nothing
/// is pending. Records that arrive later belong to no pass.
///
/// Not thread-safe: only the replay thread uses it.
final class ReplayPass {
  private enum State {
    NOT_STARTED,
    RUNNING,
    COMPLETE
  }

  private final Clock clock;
  private State state = State.NOT_STARTED;
  private long startNanos;
  private long delivered;
  private long rejected;

  ReplayPass(Clock clock) {
    this.clock = clock;
  }

  /// Something is delivered next.
  void start(long pending) {
    if (state == State.NOT_STARTED) {
      state = State.RUNNING;
      startNanos = clock.nanos();
      delivered = 0;
      rejected = 0;
      Events.info(EventNames.REPLAY_STARTED, "pending", pending);
    }
  }

  void delivered(int records) {
    delivered += records;
  }

  void rejected() {
    rejected++;
  }

  /// The server went down: the next delivery starts a pass.
  void suspend() {
    state = State.NOT_STARTED;
  }

  /// Nothing is pending.
  void complete() {
    if (state == State.RUNNING) {
      state = State.COMPLETE;
      Events.info(
          EventNames.REPLAY_COMPLETED,
          "delivered",
          delivered,
          "rejected",
          rejected,
          "seconds",
          (clock.nanos() - startNanos) / 1e9);
    }
  }
}
