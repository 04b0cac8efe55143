package com.datanadhi.echopost.upstream;

import com.datanadhi.echopost.time.Clock;
import java.time.Duration;

/// The health-probe loop: sends a probe to the main server at once and then periodically, and sets
/// the [ServerState] from its result.
///
/// While the server is up, the period is 2 s. While it is down, the period grows from 0.25 s to 2
/// s, so that its return is noticed within about 2 s after any outage. Only the server's
/// `Retry-After`, up to 5 min, and the pause after a failed delivery make the wait longer.
///
/// Confined to the thread that runs it.
public final class HealthProbe {
  static final Duration SHORTEST = Duration.ofMillis(250);
  static final Duration LONGEST = Duration.ofSeconds(2);
  static final Duration LONGEST_RETRY_AFTER = Duration.ofMinutes(5);

  /// Sends one probe.
  public interface Probe {
    /// The result of one probe; waits for it.
    ServerResponse send() throws InterruptedException;
  }

  private final Probe probe;
  private final Clock clock;
  private final ServerState state;
  private Duration period = SHORTEST;

  /// @param probe sends one probe
  /// @param state set by the results of the probes
  public HealthProbe(Probe probe, ServerState state, Clock clock) {
    this.probe = probe;
    this.state = state;
    this.clock = clock;
  }

  /// Probes until interrupted.
  public void run() throws InterruptedException {
    while (true) {
      // The period is measured from start to start: the timeout of a hanging server must not be
      // added to it.
      long start = clock.nanos();
      Duration period = turn();
      state.probeWaiter().await(period.minusNanos(clock.nanos() - start));
    }
  }

  /// Does one step: sends at most one probe, and does not sleep.
  ///
  /// @return how long to wait before the next turn, unless woken
  Duration turn() throws InterruptedException {
    Duration pause = state.takePause();
    if (!pause.isZero()) {
      period = SHORTEST;
      return pause;
    }
    long ticket = state.beginProbe();
    // A switch by type would be compiled at run time when first used, which delays each start.
    ServerResponse response = probe.send();
    if (!(response instanceof ServerResponse.Answered answered)) {
      state.endProbe(ticket, false, "probe: " + ((ServerResponse.NoAnswer) response).reason());
      return grow();
    }
    if (answered.isSuccess()) {
      state.endProbe(ticket, true, "");
      period = SHORTEST;
      return LONGEST;
    }
    state.endProbe(ticket, false, "probe: HTTP " + answered.status());
    Duration grown = grow();
    return answered.retryAfter() == null
        ? grown
        : max(grown, min(answered.retryAfter(), LONGEST_RETRY_AFTER));
  }

  private Duration grow() {
    Duration now = period;
    // multipliedBy would load BigDecimal, which delays each start.
    period = min(period.plus(period), LONGEST);
    return now;
  }

  private static Duration min(Duration a, Duration b) {
    return a.compareTo(b) < 0 ? a : b;
  }

  private static Duration max(Duration a, Duration b) {
    return a.compareTo(b) > 0 ? a : b;
  }
}
