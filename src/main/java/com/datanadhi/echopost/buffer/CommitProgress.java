package com.datanadhi.echopost.buffer;

import org.jspecify.annotations.Nullable;

/// Whether commits succeed, as those who wait for them see it: by the last commit, and by the time
/// that the work under way has taken. The writer thread writes it, any thread reads it.
final class CommitProgress {
  /// Ingest refuses records after this time without a commit.
  private static final long STALL_NANOS = 5_000_000_000L;

  private static final long NONE = Long.MIN_VALUE;

  private volatile long workSinceNanos = NONE;
  private volatile @Nullable String blockedBy;

  /// The writer starts work that can take long if the disk hangs.
  void workStarted(long nowNanos) {
    workSinceNanos = nowNanos;
  }

  void workEnded() {
    workSinceNanos = NONE;
  }

  /// A commit was not possible now, and may be later.
  ///
  /// @param why one line for people
  void blocked(String why) {
    blockedBy = why;
  }

  /// A commit succeeded, or would have.
  void succeeded() {
    if (blockedBy != null) {
      blockedBy = null;
    }
  }

  boolean isBlocked() {
    return blockedBy != null;
  }

  /// Why commits do not succeed, one line for people; null if they do.
  @Nullable String problem(long nowNanos) {
    String known = blockedBy;
    if (known != null) {
      return known;
    }
    long since = workSinceNanos;
    return since != NONE && nowNanos - since > STALL_NANOS
        ? "a commit has not ended for "
            + (nowNanos - since) / 1_000_000_000
            + " s: the disk is slow or hangs"
        : null;
  }
}
