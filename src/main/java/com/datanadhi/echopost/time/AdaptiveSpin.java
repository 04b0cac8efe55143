package com.datanadhi.echopost.time;

/// Tells a thread that has to wait whether to look out for what it waits for, in place of sleeping:
/// to be woken takes some tenth of a millisecond, as long as a commit on a quick disk.
///
/// It pays where the thing comes soon: one alone is waited for, and the wait before was short. Then
/// for 0.3 ms, and never on a single processor, which somebody else needs for the thing to come.
/// Confined to the thread that waits.
public final class AdaptiveSpin {
  private static final long NANOS = 300_000;

  /// Milliseconds' worth, some tens where each look asks the kernel, should the clock stand still.
  private static final int MOST_LOOKS = 20_000;

  private final Clock clock;
  private final boolean isAffordable;
  private boolean wasShort;
  private boolean looking;
  private int looks;
  private long since;

  /// A thread's look-out by `clock`.
  public AdaptiveSpin(Clock clock) {
    this(clock, Runtime.getRuntime().availableProcessors());
  }

  /// The same where the machine has so many `processors`.
  public AdaptiveSpin(Clock clock, int processors) {
    this.clock = clock;
    this.isAffordable = processors > 1;
    this.since = clock.nanos() - NANOS;
  }

  /// The thread has nothing to do from now on.
  ///
  /// @param forOne whether it is one thing alone that is under way
  public void beginWait(boolean forOne) {
    looking = forOne && wasShort && isAffordable;
    looks = 0;
    since = clock.nanos();
  }

  /// What it waited for has come.
  public void endWait() {
    wasShort = clock.nanos() - since < NANOS;
    looking = false;
  }

  /// Whether to look again; else it is time to sleep.
  public boolean shouldSpin() {
    looking = looking && looks++ < MOST_LOOKS && clock.nanos() - since < NANOS;
    return looking;
  }
}
