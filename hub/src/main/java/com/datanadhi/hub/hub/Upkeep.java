package com.datanadhi.hub.hub;

import com.datanadhi.hub.apply.ApplyDecisions.Loss;
import com.datanadhi.hub.apply.Replacements;
import com.datanadhi.hub.control.ControlDamagedException;
import com.datanadhi.hub.control.ControlUnavailableException;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.log.SegmentInfo;
import com.datanadhi.hub.logging.Events;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the hub looks after once a second: room on the disk, a probe of the disk when nobody
/// appends, the clock, databases that were deleted, memory, a control stream that could not be
/// read, and damage in the log.
final class Upkeep {
  private static final long PAUSE_MILLIS = 1_000;
  private static final long DAMAGE_MILLIS = 10_000;
  private static final int LOOKED_AT_RECORDS = 1_000;
  private static final long LOOKED_AT_BYTES = 4L << 20;
  private static final long MEMORY_MILLIS = 30_000;
  private static final double MEMORY_PRESSURE = 0.9;

  private final OpenDirectory directory;
  private final DiskRoom disk;
  private final AppendProbe probe;
  private @Nullable String controlProblem;
  private long damagedSince = -1;
  private long memoryReleasedAt;

  Upkeep(OpenDirectory directory, DiskRoom disk, AppendProbe probe) {
    this.directory = directory;
    this.disk = disk;
    this.probe = probe;
  }

  /// Works until it is interrupted.
  void run() throws InterruptedException {
    while (true) {
      Thread.sleep(PAUSE_MILLIS);
      turn();
    }
  }

  void turn() throws InterruptedException {
    disk.turn();
    probe.turn();
    directory.clockGuard.turn();
    directory.apply.parkMissing();
    readControl();
    recordLoss();
    releaseMemory();
  }

  /// Until the control stream is read, every request is refused with 503: nobody knows which keys
  /// are valid. Its database is tried again, too.
  private void readControl() throws InterruptedException {
    try {
      if (directory.control.isReady()) {
        directory.control.retry();
      } else {
        directory.control.start();
      }
      controlProblem = null;
    } catch (IOException | ControlDamagedException | ControlUnavailableException unreadable) {
      String problem = String.valueOf(unreadable.getMessage());
      if (!problem.equals(controlProblem)) {
        controlProblem = problem;
        Events.severe("control_unreadable", unreadable, "reason", problem);
      }
    }
  }

  /// Damaged log records that are to be applied can be in the archive. After a while, in which an
  /// operator's disk may come back, those that nothing has are recorded as lost, and applying goes
  /// on behind the damage.
  private void recordLoss() throws InterruptedException {
    DamagedException met = directory.apply.damage();
    if (met == null) {
      damagedSince = -1;
      return;
    }
    long now = directory.clock.nanoTime();
    if (damagedSince < 0) {
      damagedSince = now;
    }
    if (now - damagedSince >= DAMAGE_MILLIS * 1_000_000) {
      // What cannot be told now is asked again after a while.
      damagedSince = now;
      recordLosses(met);
    }
  }

  /// The rest of the segment is looked through at once: damage seldom comes alone, and each would
  /// make all tenants wait again.
  private void recordLosses(DamagedException met) throws InterruptedException {
    long end = met.endOffset();
    for (SegmentInfo segment : directory.log.segments(met.stream())) {
      if (segment.firstOffset() <= met.firstOffset()) {
        end = Math.max(met.endOffset(), segment.endOffset());
      }
    }
    long next = met.firstOffset();
    while (next < end) {
      try {
        List<LogEntry> sound =
            directory.log.read(met.stream(), next, LOOKED_AT_RECORDS, LOOKED_AT_BYTES);
        if (sound.isEmpty()) {
          return;
        }
        next = sound.getLast().offset() + 1;
      } catch (DamagedException damaged) {
        if (!replaceOrRecord(damaged)) {
          return;
        }
        next = damaged.endOffset();
      } catch (IOException unreadable) {
        Events.warning("log_unreadable", "reason", unreadable.getMessage());
        return;
      }
    }
    damagedSince = -1;
  }

  /// @return whether nobody has to wait for these log records any more
  private boolean replaceOrRecord(DamagedException damaged) throws InterruptedException {
    try {
      Replacements.Found found = directory.replacements.look(damaged);
      for (Loss loss : found.missing()) {
        directory.control.recordLoss(damaged.stream(), loss);
      }
      directory.apply.replaced(damaged, found.behind());
      Events.warning(
          "damage_passed",
          "stream",
          damaged.stream(),
          "first_offset",
          damaged.firstOffset(),
          "end_offset",
          damaged.endOffset(),
          "lost",
          found.missing().stream().mapToLong(loss -> loss.last() - loss.first() + 1).sum());
      return true;
    } catch (IOException | ControlUnavailableException later) {
      Events.warning("loss_not_recorded", "reason", later.getMessage());
      return false;
    }
  }

  private void releaseMemory() {
    MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    long now = directory.clock.nanoTime();
    if (heap.getUsed() < heap.getMax() * MEMORY_PRESSURE
        || now - memoryReleasedAt < MEMORY_MILLIS * 1_000_000) {
      return;
    }
    memoryReleasedAt = now;
    try {
      directory.log.releaseMemory();
    } catch (IOException failed) {
      Events.warning("memory_not_released", "reason", failed.getMessage());
    }
  }
}
