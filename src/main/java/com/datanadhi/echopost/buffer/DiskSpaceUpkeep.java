package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.sql.SQLException;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/// Takes care of the disk space between commits: rebuilds the reserve, gives free pages back, and
/// limits the write-ahead log from below and above.
///
/// Used by the writer thread alone, except [#shortage].
final class DiskSpaceUpkeep {
  private static final long STEP_NANOS = 20_000_000;
  private static final long FULL_CHECK_NANOS = 250_000_000;

  private final ActiveWriter active;
  private final DiskReserve reserve;
  private final CommitProgress progress;
  private boolean isFailureReported;

  DiskSpaceUpkeep(ActiveWriter active, DiskReserve reserve, CommitProgress progress) {
    this.active = active;
    this.reserve = reserve;
    this.progress = progress;
  }

  /// Bytes that must become free before records are accepted again; 0 while they are. Any thread.
  long shortage() {
    return reserve.shortage();
  }

  /// Whether there is nothing to do.
  boolean isDone() {
    return active.get().space().isLogKept()
        && reserve.isFullSize()
        && reserve.shortage() == 0
        && !progress.isBlocked();
  }

  /// The time to wait before the next [#step]; 0 when none is needed.
  long pauseNanos() {
    if (reserve.shortage() != 0 || progress.isBlocked()) {
      return FULL_CHECK_NANOS;
    }
    return isDone() ? 0 : STEP_NANOS;
  }

  /// Takes one step towards a log and a reserve of full size, and on a full disk towards free
  /// space.
  void step() {
    if (isDone() || active.failure() != null) {
      return;
    }
    FileSpace space = active.get().space();
    try {
      if (progress.isBlocked()) {
        // Otherwise nothing would show that commits succeed again before the next record.
        space.probeWriteLock();
        progress.succeeded();
      }
      if (reserve.shortage() != 0) {
        if (active.totals().pending() > 0) {
          space.shrinkStepOnFullDisk();
        } else {
          int _ = space.shrinkStep();
        }
        boolean _ = space.checkpoint();
      }
      if (space.isLogKept() || space.growLog()) {
        reserve.rebuildStep();
      }
    } catch (IOException failed) {
      if (Volume.isDeviceError(failed)) {
        active.fail(
            new StorageException(
                "the reserve or the log cannot be written: " + failed.getMessage(), failed));
      } else if (Volume.isOutOfSpace(failed)) {
        moveReserveToLog();
      } else if (!Volume.isOutOfDescriptors(failed) && !isFailureReported) {
        // The directory was deleted, for example: see NameUpkeep.
        isFailureReported = true;
        Events.warning(EventNames.RESERVE_FAILED, "reason", failed.toString());
      }
    } catch (SQLException failed) {
      active.failUnlessRecoverable(SqliteFailure.of("making room", failed));
    }
  }

  /// Gives up a piece of the reserve, and uses it for the log before another program does.
  private void moveReserveToLog() {
    try {
      if (makeRoom() && !active.get().space().isLogKept()) {
        boolean _ = prepareDelete();
      }
    } catch (StorageException failed) {
      active.failUnlessRecoverable(failed);
    }
  }

  /// The disk is full: gives up a piece of the reserve.
  ///
  /// @return false when nothing is left of it
  boolean makeRoom() {
    try {
      reserve.markFull();
      return reserve.giveUp();
    } catch (IOException failed) {
      Events.severe(EventNames.RESERVE_FAILED, failed);
      return false;
    }
  }

  /// Makes what is in the log part of the database, so that the log is written from its start
  /// again, and brings the log's file to the size that it keeps.
  ///
  /// @return false when there is no disk space for that
  /// @throws StorageException for any other reason
  boolean prepareDelete() throws StorageException {
    FileSpace space = active.get().space();
    try {
      boolean _ = space.checkpoint();
      while (!space.growLog()) {
        // One step after the other.
        Thread.onSpinWait();
      }
      return true;
    } catch (SQLException failed) {
      StorageException kind = SqliteFailure.of("checkpointing a full disk", failed);
      if (kind instanceof StorageException.Full) {
        return false;
      }
      throw kind;
    } catch (IOException failed) {
      if (Volume.isDeviceError(failed)) {
        throw new StorageException("the log cannot be written: " + failed.getMessage(), failed);
      }
      return false;
    }
  }

  /// Within a transaction on a full disk: the checkpoint after it must not need more disk space
  /// than there is, or nothing could be deleted any more.
  ///
  /// @param morePages by how many pages the database grows
  void requireRoom(int morePages) throws SQLException {
    if (morePages > 0 && !reserve.isFree((long) morePages * Database.PAGE_SIZE)) {
      throw new SQLiteException("no disk space for a larger file", SQLiteErrorCode.SQLITE_FULL);
    }
  }

  /// Checkpoints from time to time if the write-ahead log has outgrown its limit.
  void limitLog() {
    try {
      if (active.failure() == null) {
        active.get().space().checkpointIfOverdue();
      }
    } catch (SQLException failed) {
      active.failUnlessRecoverable(SqliteFailure.of("checkpointing", failed));
    }
  }

  /// Rewrites the file if it is mostly free, and truncates the write-ahead log.
  ///
  /// @param freePages how many free pages the file has
  /// @return how many are left
  int reclaimSpace(int freePages) throws StorageException {
    try {
      int left = active.get().space().rewriteIfMostlyFree() ? 0 : freePages;
      boolean _ = active.get().space().truncateLog();
      return left;
    } catch (SQLException failed) {
      StorageException kind = SqliteFailure.of("giving free pages back", failed);
      if (kind.isCorruption()) {
        active.failUnlessRecoverable(kind);
      }
      throw kind;
    }
  }
}
