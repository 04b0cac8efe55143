package com.datanadhi.hub.apply;

import com.datanadhi.hub.apply.ParkedTenants.Parked;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.time.Clock;
import java.io.IOException;
import java.util.List;

/// Tells how applying stands. Computed by the caller's thread from the log and from what the loop
/// has finished, so that it also tells of a loop that is stuck. Thread-safe.
final class StatsReader {
  private final Log log;
  private final String stream;
  private final ApplyProgress progress;
  private final Positions positions;
  private final ParkedTenants parked;
  private final Unreadable unreadable;
  private final LogDamage damage;
  private final Clock clock;

  StatsReader(
      StreamReader reader,
      ApplyProgress progress,
      Positions positions,
      ParkedTenants parked,
      Unreadable unreadable,
      LogDamage damage,
      Clock clock) {
    this.log = reader.log();
    this.stream = reader.stream();
    this.progress = progress;
    this.positions = positions;
    this.parked = parked;
    this.unreadable = unreadable;
    this.damage = damage;
    this.clock = clock;
  }

  ApplyStats read() {
    long head = log.stableEnd(stream);
    ApplyProgress.Counts counts = progress.counts();
    LogDamage.Blocked blocked = damage.blocked();
    long position = counts.next();
    String reason = blocked.problem();
    long lagMillis = 0;
    if (position < head) {
      try {
        List<LogEntry> oldest = log.read(stream, position, 1, 1);
        if (!oldest.isEmpty()) {
          lagMillis = Math.max(0, clock.wallMillis() - oldest.getFirst().time());
        }
      } catch (IOException | DamagedException unreadableNow) {
        reason = ApplyLoop.message(unreadableNow);
      }
    }
    long stored = 0;
    long duplicates = 0;
    long conflicts = 0;
    long skipped = unreadable.quarantined();
    for (TenantMark mark : positions.all().values()) {
      stored += mark.stored();
      duplicates += mark.duplicates();
      conflicts += mark.conflicts();
      skipped += mark.skipped();
    }
    List<Parked> tenants = parked.list();
    return new ApplyStats(
        stream,
        position - 1,
        head - 1,
        Math.max(0, head - position),
        lagMillis,
        tenants.size(),
        tenants.stream().mapToLong(Parked::heldBackRecords).sum(),
        stored,
        duplicates,
        conflicts,
        skipped,
        counts.lost(),
        unreadable.waiting().size(),
        counts.events(),
        reason,
        blocked.isDamage());
  }
}
