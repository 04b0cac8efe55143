package com.datanadhi.echopost.time;

/// Decides whether a thread that waits for an event spins or sleeps. Waking a thread takes some
/// tenth of a millisecond, as long as a commit on a fast disk.
///
/// Spinning pays when the event comes soon. The thread spins for up to 0.3 ms if it waits for a
/// single event and the wait before was short; on one processor never, since the thread that causes
/// the event needs it.
///
/// Confined to the thread that waits.
public final class AdaptiveSpin {
  private static final long NANOS = 300_000;

  /// Bounds the spinning if the clock stands still: to some milliseconds, or some tens of them if
  /// each check is a system call.
  private static final int MAX_CHECKS = 20_000;

  private final Clock clock;
  private final boolean isAffordable;
  private boolean wasShort;
  private boolean spinning;
  private int checks;
  private long since;

  /// For this machine.
  public AdaptiveSpin(Clock clock) {
    this(clock, Runtime.getRuntime().availableProcessors());
  }

  /// For a machine with this number of `processors`.
  public AdaptiveSpin(Clock clock, int processors) {
    this.clock = clock;
    this.isAffordable = processors > 1;
    this.since = clock.nanos() - NANOS;
  }

  /// The thread starts to wait.
  ///
  /// @param forOne whether it waits for a single event
  public void beginWait(boolean forOne) {
    spinning = forOne && wasShort && isAffordable;
    checks = 0;
    since = clock.nanos();
  }

  /// The event has come.
  public void endWait() {
    wasShort = clock.nanos() - since < NANOS;
    spinning = false;
  }

  /// Whether to check for the event again; if false, the thread sleeps.
  public boolean shouldSpin() {
    spinning = spinning && checks++ < MAX_CHECKS && clock.nanos() - since < NANOS;
    return spinning;
  }
}
