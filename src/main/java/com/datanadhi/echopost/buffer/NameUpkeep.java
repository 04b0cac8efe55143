package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.time.Clock;
import java.io.IOException;

/// Finds out whether the names of the open files still lead to them, and puts back what other
/// processes have deleted or replaced.
///
/// Used by the writer thread alone, except [#areLost].
final class NameUpkeep {
  private static final long RETRY_NANOS = 1_000_000_000;

  private final ActiveWriter active;
  private final DiskReserve reserve;
  private final Clock clock;
  private long lastTryNanos;

  NameUpkeep(ActiveWriter active, DiskReserve reserve, Clock clock) {
    this.active = active;
    this.reserve = reserve;
    this.clock = clock;
    this.lastTryNanos = clock.nanos() - RETRY_NANOS;
  }

  /// Whether a file has lost its name. Costs a few system calls. Any thread.
  boolean areLost() {
    BufferWriter writer = active.get();
    try {
      return active.lost() != null
          || !writer.files().lost().isEmpty()
          || writer.hasLostWatermark()
          || reserve.isLost();
    } catch (IOException unknown) {
      // The directory cannot be searched: the writer would be in no better position.
      return false;
    }
  }

  /// Puts files back, at most once in a second while that fails.
  void restore() {
    if (active.failure() == null
        && (active.lost() == null || clock.nanos() - lastTryNanos >= RETRY_NANOS)) {
      lastTryNanos = clock.nanos();
      restoreNow();
    }
  }

  /// Puts files back.
  void restoreNow() {
    try {
      if (active.get().files().lost().isEmpty()) {
        active.found();
      } else {
        active.restore();
      }
      if (active.failure() == null && active.lost() == null) {
        if (active.get().hasLostWatermark()) {
          active.get().restoreWatermark();
        }
        if (reserve.isLost()) {
          reserve.recount();
        }
      }
    } catch (IOException failed) {
      Events.warning(EventNames.WATERMARK_FAILED, "reason", failed.toString());
    }
  }
}
