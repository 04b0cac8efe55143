package com.datanadhi.hub.apply;

import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.logging.Events;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
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
  private final List<Replaced> replaced = new ArrayList<>();

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

  /// Damage that keeps nobody waiting any more: each of its log records is in a database or in the
  /// archive, or is recorded as lost.
  ///
  /// @param behind the tenants that have some in the archive, and not in their database
  record Replaced(long first, long end, Set<String> behind) {
    private boolean has(DamagedException damaged) {
      return first <= damaged.firstOffset() && damaged.endOffset() <= end;
    }
  }

  void replaced(Replaced range) {
    lock.lock();
    try {
      replaced.add(range);
      if (rebuildDamage != null && range.has(rebuildDamage)) {
        rebuildDamage = null;
      }
    } finally {
      lock.unlock();
    }
  }

  /// What [#replaced] has said of this damage, or null.
  @Nullable Replaced replacementOf(DamagedException damaged) {
    lock.lock();
    try {
      return replaced.stream().filter(range -> range.has(damaged)).findFirst().orElse(null);
    } finally {
      lock.unlock();
    }
  }

  /// A database is gone that may have had some of them.
  void forgetReplaced() {
    lock.lock();
    try {
      replaced.clear();
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
