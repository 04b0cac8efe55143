package com.datanadhi.echopost.upstream;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/// What is known of the main server. Thread-safe.
///
///     UNKNOWN ──probe──▶ UP ◀──probe──▶ DOWN
///                         └──a delivery found it unavailable──▶ DOWN, not probed before its pause is over
public final class ServerState {
  /// What the last look said.
  public enum Health {
    /// Nobody has looked yet.
    UNKNOWN,
    /// The last probe was answered well, and no delivery failed since.
    UP,
    /// The last probe or delivery failed.
    DOWN
  }

  /// A state and when it came to be.
  ///
  /// @param since UTC, milliseconds since 1970; of [Health#UNKNOWN], when the agent began
  public record Known(Health health, long since) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Waiter prober;
  private final Runnable onUp;
  private final Clock clock;
  private volatile Known known;
  private Duration pause = Duration.ZERO;
  private long suspicions;

  /// @param prober the probe loop's own waiter, woken when a delivery has failed
  /// @param onUp called, with the lock held, when the server is found well; must not block
  ServerState(Waiter prober, Runnable onUp, Clock clock) {
    this.prober = prober;
    this.onUp = onUp;
    this.clock = clock;
    this.known = new Known(Health.UNKNOWN, clock.millis());
  }

  /// The state now. Never waits, not even for the log to be written.
  public Health health() {
    return known.health();
  }

  /// The state now, and since when. Never waits.
  public Known known() {
    return known;
  }

  /// A delivery found the server unavailable: it counts as down until a probe that begins after
  /// `pauseFirst` says otherwise.
  ///
  /// @param why for the log, without secrets
  public void suspect(Duration pauseFirst, String why) {
    lock.lock();
    try {
      pause = pauseFirst;
      suspicions++;
      set(Health.DOWN, "delivery: " + why);
    } finally {
      lock.unlock();
    }
    prober.wake();
  }

  /// Begins a probe.
  ///
  /// @return a ticket for [#probed]
  long beginProbe() {
    lock.lock();
    try {
      return suspicions;
    } finally {
      lock.unlock();
    }
  }

  /// Ends a probe. One that a suspicion overtook says nothing any more.
  void probed(long ticket, boolean well, String why) {
    lock.lock();
    try {
      if (ticket == suspicions) {
        set(well ? Health.UP : Health.DOWN, why);
      }
    } finally {
      lock.unlock();
    }
  }

  /// The pause that the last suspicion asked for, given out once.
  Duration takePause() {
    lock.lock();
    try {
      Duration asked = pause;
      pause = Duration.ZERO;
      return asked;
    } finally {
      lock.unlock();
    }
  }

  private void set(Health next, String why) {
    if (known.health() != next) {
      known = new Known(next, clock.millis());
      if (next == Health.UP) {
        Events.info(EventNames.SERVER_UP);
        onUp.run();
      } else {
        Events.warning(EventNames.SERVER_DOWN, "reason", why);
      }
    }
  }
}
