package com.datanadhi.echopost.buffer;

import com.datanadhi.echopost.directory.Volume;
import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.StorageException;
import java.io.IOException;
import java.sql.SQLException;

/// Takes care of the disk space between commits: rebuilds the reserve, gives free pages back, and
/// limits the write-ahead log.
///
/// Used by the writer thread alone, except [#shortage].
final class DiskSpaceUpkeep {
  private static final long RESERVE_STEP_NANOS = 20_000_000;
  private static final long FULL_CHECK_NANOS = 250_000_000;

  private final ActiveWriter active;
  private final DiskReserve reserve;

  DiskSpaceUpkeep(ActiveWriter active, DiskReserve reserve) {
    this.active = active;
    this.reserve = reserve;
  }

  /// Bytes that must become free before records are accepted again; 0 while they are. Any thread.
  long shortage() {
    return reserve.shortage();
  }

  /// Whether there is nothing to do.
  boolean isDone() {
    return reserve.isFullSize() && reserve.shortage() == 0;
  }

  /// The time to wait before the next [#step]; 0 when none is needed.
  long pauseNanos() {
    if (reserve.shortage() != 0) {
      return FULL_CHECK_NANOS;
    }
    return reserve.isFullSize() ? 0 : RESERVE_STEP_NANOS;
  }

  /// Takes one step towards a reserve of full size, and on a full disk towards free space.
  void step() {
    if (isDone()) {
      return;
    }
    try {
      if (reserve.shortage() != 0) {
        int _ = active.get().space().shrinkStep();
        active.get().space().checkpoint();
      }
      reserve.rebuildStep();
    } catch (IOException failed) {
      if (Volume.isDeviceError(failed)) {
        active.fail(
            new StorageException("the reserve cannot be written: " + failed.getMessage(), failed));
      } else if (!Volume.isOutOfDescriptors(failed)) {
        // Most likely there is no space for the step, as on any full disk.
        releaseReserve();
      }
    } catch (SQLException failed) {
      active.failUnlessRecoverable(SqliteFailure.of("making room", failed));
    }
  }

  /// The disk is full: frees the reserve for deletes and checkpoints.
  void releaseReserve() {
    try {
      reserve.release();
    } catch (IOException failed) {
      Events.severe(EventNames.RESERVE_FAILED, failed);
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

  /// Rewrites the file if it is mostly free, and empties the write-ahead log.
  ///
  /// @param freePages how many free pages the file has
  /// @return how many are left
  int reclaimSpace(int freePages) throws StorageException {
    try {
      int left = active.get().space().rewriteIfMostlyFree() ? 0 : freePages;
      active.get().space().checkpoint();
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
