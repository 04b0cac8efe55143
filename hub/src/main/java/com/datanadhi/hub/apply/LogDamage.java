package com.datanadhi.hub.apply;

import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.logging.Events;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Why the log cannot be read on: by the loop, or by a rebuild. Thread-safe.
final class LogDamage {
  private final String stream;
  private final ApplyDecisions decisions;
  private final ReentrantLock lock = new ReentrantLock();

  // Guarded by lock.
  private @Nullable String problem;
  private @Nullable DamagedException damage;
  private @Nullable DamagedException rebuildDamage;

  LogDamage(String stream, ApplyDecisions decisions) {
    this.stream = stream;
    this.decisions = decisions;
  }

  /// The loop cannot read on.
  ///
  /// @param damaged null if it is not damage, but an error that can pass
  void block(String event, Exception cause, @Nullable DamagedException damaged) {
    String reason = ApplyLoop.message(cause);
    boolean isNew;
    lock.lock();
    try {
      isNew = !reason.equals(problem);
      problem = reason;
      damage = damaged;
    } finally {
      lock.unlock();
    }
    if (isNew) {
      Events.severe(event, null, "stream", stream, "reason", reason);
    }
  }

  /// The loop can read on.
  void unblock() {
    lock.lock();
    try {
      problem = null;
      damage = null;
    } finally {
      lock.unlock();
    }
  }

  /// A rebuild met damage that the loop has passed already, when it was not there yet; null if the
  /// latest rebuild met none.
  void inRebuild(@Nullable DamagedException damaged) {
    lock.lock();
    try {
      rebuildDamage = damaged;
    } finally {
      lock.unlock();
    }
  }

  /// Why the loop cannot read on.
  ///
  /// @param problem null if it can
  /// @param isDamage whether only a recorded loss ends it
  record Blocked(@Nullable String problem, boolean isDamage) {}

  Blocked blocked() {
    lock.lock();
    try {
      return new Blocked(problem, damage != null);
    } finally {
      lock.unlock();
    }
  }

  /// The damage in front of which the loop or a rebuild waits, until it is recorded as lost or can
  /// be read again; null if there is none.
  @Nullable DamagedException damage() {
    DamagedException ofRebuild;
    lock.lock();
    try {
      if (damage != null) {
        return damage;
      }
      ofRebuild = rebuildDamage;
    } finally {
      lock.unlock();
    }
    if (ofRebuild == null
        || decisions.losses(stream).stream()
            .noneMatch(loss ->
                loss.first() <= ofRebuild.firstOffset()
                    && ofRebuild.endOffset() - 1 <= loss.last())) {
      return ofRebuild;
    }
    lock.lock();
    try {
      rebuildDamage = rebuildDamage == ofRebuild ? null : rebuildDamage;
    } finally {
      lock.unlock();
    }
    return null;
  }
}
