package com.datanadhi.echopost.upstream;

import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import java.time.Duration;

/// The health-probe sibling: asks the main server how it is, at once and then again and again.
///
/// While the server is down the period grows from 0.25 s to 2 s, so that its return is noticed
/// within about 2 s however long it was away; while it is up, the period is 2 s. Only the server
/// itself (`Retry-After`), or the back-off after a failed delivery, makes it wait longer.
public final class HealthProbe {
  static final Duration SHORTEST = Duration.ofMillis(250);
  static final Duration LONGEST = Duration.ofSeconds(2);
  static final Duration LONGEST_ASKED = Duration.ofMinutes(5);

  /// Asks the server once.
  public interface Probe {
    /// What the server says to one probe.
    ServerResponse ask() throws InterruptedException;
  }

  private final Probe probe;
  private final Clock clock;
  private final Waiter waiter = new Waiter();
  private final ServerState state;
  private Duration period = SHORTEST;

  /// @param probe asks the server once
  /// @param onUp called when the server is found well after it was not; must not block
  public HealthProbe(Probe probe, Runnable onUp, Clock clock) {
    this.clock = clock;
    this.probe = probe;
    this.state = new ServerState(waiter, onUp, clock);
  }

  /// What is known of the server.
  public ServerState state() {
    return state;
  }

  /// Probes until interrupted.
  public void run() throws InterruptedException {
    while (true) {
      // From start to start: a server that hangs must not make the period longer by its time-out.
      long begun = clock.nanos();
      Duration period = turn();
      waiter.await(period.minusNanos(clock.nanos() - begun));
    }
  }

  /// Does one step: waits out nothing, probes at most once.
  ///
  /// @return how long to wait before the next turn, unless woken
  Duration turn() throws InterruptedException {
    Duration asked = state.takePause();
    if (!asked.isZero()) {
      period = SHORTEST;
      return asked;
    }
    long ticket = state.beginProbe();
    // No switch by type: that is compiled when first met, which every start would feel.
    ServerResponse answer = probe.ask();
    if (!(answer instanceof ServerResponse.Answered answered)) {
      state.probed(ticket, false, "probe: " + ((ServerResponse.NoAnswer) answer).reason());
      return grow();
    }
    if (answered.isSuccess()) {
      state.probed(ticket, true, "");
      period = SHORTEST;
      return LONGEST;
    }
    state.probed(ticket, false, "probe: HTTP " + answered.status());
    Duration grown = grow();
    return answered.retryAfter() == null
        ? grown
        : max(grown, min(answered.retryAfter(), LONGEST_ASKED));
  }

  private Duration grow() {
    Duration now = period;
    // Not multipliedBy, which reckons with big decimals: their first use is felt at every start.
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
