package com.datanadhi.echopost.upstream;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.time.Clock;
import com.datanadhi.echopost.time.Waiter;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/// The main server's health as last observed by this process: [HealthProbe] sets it, replay reads
/// it and reports failed deliveries, and all other parts only read it.
///
///     UNKNOWN ──probe──▶ UP ◀──probe──▶ DOWN
///                         └──reportUnavailable──▶ DOWN, and no probe until the pause has passed
///
/// Thread-safe: writers hold one lock; readers read one volatile reference and never wait.
public final class ServerState {
  /// A health and when it was entered.
  ///
  /// @param sinceMillis UTC, milliseconds since 1970; of [ServerHealth#UNKNOWN], when this was made
  /// @param reason of the newest failure, while it is DOWN; else empty
  public record Snapshot(ServerHealth health, long sinceMillis, String reason) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Waiter probeWaiter = new Waiter();
  private final Runnable onUp;
  private final Clock clock;
  private volatile Snapshot snapshot;

  // Guarded by the lock.
  private Duration pause = Duration.ZERO;
  private long reports;

  /// Unknown at first.
  ///
  /// @param onUp called at each change to [ServerHealth#UP], with the lock held; must not block
  public ServerState(Runnable onUp, Clock clock) {
    this.onUp = onUp;
    this.clock = clock;
    this.snapshot = new Snapshot(ServerHealth.UNKNOWN, clock.millis(), "");
  }

  /// The health now. Never waits, not even while a change is written to the log.
  public ServerHealth health() {
    return snapshot.health();
  }

  /// The health now and since when. Never waits.
  public Snapshot snapshot() {
    return snapshot;
  }

  /// Sets the server down after a delivery found it unavailable. It stays down until a probe
  /// succeeds that starts after `pauseFirst`.
  ///
  /// @param reason for the log, without secrets
  public void reportUnavailable(Duration pauseFirst, String reason) {
    lock.lock();
    try {
      pause = pauseFirst;
      reports++;
      set(ServerHealth.DOWN, "delivery: " + reason);
      probeWaiter.wake();
    } finally {
      lock.unlock();
    }
  }

  /// The waiter of the probe loop; [#reportUnavailable] wakes it.
  Waiter probeWaiter() {
    return probeWaiter;
  }

  /// Starts a probe.
  ///
  /// @return a ticket for [#endProbe]
  long beginProbe() {
    lock.lock();
    try {
      return reports;
    } finally {
      lock.unlock();
    }
  }

  /// Takes over the result of a probe, unless [#reportUnavailable] was called since it began: the
  /// result is then out of date.
  ///
  /// @param reason of a failure, for the log
  void endProbe(long ticket, boolean success, String reason) {
    lock.lock();
    try {
      if (ticket == reports) {
        set(success ? ServerHealth.UP : ServerHealth.DOWN, reason);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Returns the pause of the last [#reportUnavailable] and clears it.
  Duration takePause() {
    lock.lock();
    try {
      Duration taken = pause;
      pause = Duration.ZERO;
      // Otherwise the wake-up for this pause would end it.
      probeWaiter.clear();
      return taken;
    } finally {
      lock.unlock();
    }
  }

  private void set(ServerHealth next, String reason) {
    if (snapshot.health() == next) {
      snapshot = new Snapshot(next, snapshot.sinceMillis(), reason);
    } else {
      snapshot = new Snapshot(next, clock.millis(), reason);
      if (next == ServerHealth.UP) {
        Events.info(EventNames.SERVER_UP);
        onUp.run();
      } else {
        Events.warning(EventNames.SERVER_DOWN, "reason", reason);
      }
    }
  }
}
