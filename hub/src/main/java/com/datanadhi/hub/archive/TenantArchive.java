package com.datanadhi.hub.archive;

import com.datanadhi.hub.archive.SegmentWriter.Target;
import org.jspecify.annotations.Nullable;

/// What the archiver knows of one tenant. Its thread writes; others read the volatile fields.
final class TenantArchive {
  /// Where the log has the first row that is not archived.
  ///
  /// @param seq of the row
  record Waiting(long seq, String position) {
    /// Whether the row came from this log.
    ///
    /// @param epoch the first 8 hex digits of the log's epoch
    boolean isOf(String epoch) {
      return position.startsWith(epoch + "/");
    }

    long offset() {
      return Long.parseLong(position.substring(position.lastIndexOf(':') + 1));
    }
  }

  /// Null until it was read from the store in this run and compared with the database.
  volatile @Nullable ArchiveHead head;

  volatile ArchiveRelation relation = ArchiveRelation.UNKNOWN;

  /// Why archiving has stopped, or null.
  volatile @Nullable String alarm;

  /// Set by others: everything that is known is to be forgotten.
  volatile boolean isToForget;

  volatile @Nullable Waiting waiting;

  /// The rows behind the head that are proven, or null.
  @Nullable Target proven;

  /// When a row was first seen that is not archived, by the clock's nanoTime; null if all are.
  @Nullable Long dueSince;

  /// Not to be worked on before this moment of the clock's nanoTime; null for at once.
  @Nullable Long notBefore;

  int failuresInARow;

  void forget() {
    isToForget = false;
    head = null;
    relation = ArchiveRelation.UNKNOWN;
    alarm = null;
    waiting = null;
    proven = null;
    dueSince = null;
    notBefore = null;
    failuresInARow = 0;
  }
}
