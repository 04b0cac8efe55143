package com.datanadhi.hub.apply;

import com.datanadhi.hub.apply.ApplyProgress.Touched;
import com.datanadhi.hub.apply.ParkedTenants.Cause;
import com.datanadhi.hub.apply.ParkedTenants.Parked;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.SegmentInfo;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;

/// Makes the databases durable and writes `applied-through`: when a sealed segment of the log is
/// applied, after each 16 MiB that were applied, when a parked tenant has come back, and when the
/// hub ends.
///
/// One thread calls [#run] or [#turn].
public final class Checkpointer {
  /// Bytes of payloads between two checkpoints.
  static final long INTERVAL_BYTES = 16L * 1024 * 1024;

  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final ApplyLoop loop;
  private final ApplyProgress progress;
  private final Log log;
  private final String stream;
  private final TenantDatabases databases;
  private final MailboxFollower mailboxes;
  private final AppliedThroughFile file;
  private final SegmentRetention retention;
  private long durableThrough;
  private final LoopSignal signal = new LoopSignal();

  public Checkpointer(
      ApplyLoop loop,
      Log log,
      String stream,
      TenantDatabases databases,
      MailboxFollower mailboxes,
      AppliedThroughFile file,
      SegmentRetention retention) {
    this.loop = loop;
    this.progress = loop.progress();
    this.durableThrough = loop.start();
    this.log = log;
    this.stream = stream;
    this.databases = databases;
    this.mailboxes = mailboxes;
    this.file = file;
    this.retention = retention;
  }

  /// Works until [#stop] or an interrupt. The last checkpoint is the caller's: [#checkpoint] after
  /// the apply loop has ended.
  public void run() throws InterruptedException {
    while (!signal.isStopped()) {
      turn();
      if (!progress.isCheckpointDue()) {
        signal.pause(PAUSE);
      }
    }
  }

  public void stop() {
    signal.stop();
  }

  /// Checkpoints if it is time.
  ///
  /// @return whether it was
  public boolean turn() throws InterruptedException {
    if (!isSegmentDue() && !progress.isCheckpointDue()) {
      retention.turn();
      return false;
    }
    checkpoint();
    retention.turn();
    return true;
  }

  /// Whether a sealed segment is applied to its end, and not all of it is known to be durable.
  private boolean isSegmentDue() {
    long next = progress.next();
    for (SegmentInfo segment : log.segments(stream)) {
      long end = segment.endOffset();
      if (segment.isSealed() && durableThrough < end && end <= next) {
        return true;
      }
    }
    return false;
  }

  /// Makes all that is applied durable, and writes the file.
  ///
  /// @return whether it was written
  public boolean checkpoint() throws InterruptedException {
    return checkpoint(() -> false);
  }

  /// As above, for a hub that ends.
  ///
  /// @param isLate asked before each database; once it is true, the file stays as it is, and the
  ///   next start applies more again
  public boolean checkpoint(BooleanSupplier isLate) throws InterruptedException {
    Touched todo = progress.takeTouched();
    Map<String, TenantMark> marks = loop.marks(todo.tenants());
    String epoch = loop.reader().epochAt(todo.through() - 1);
    List<Parked> parked = new ArrayList<>(todo.parked());
    Set<String> named = new HashSet<>();
    parked.forEach(p -> named.add(p.tenant()));
    Set<String> failed = new HashSet<>();
    for (String tenant : todo.tenants()) {
      if (isLate.getAsBoolean()) {
        return false;
      }
      boolean isParked = named.contains(tenant);
      try {
        if (!isParked) {
          mailboxes.follow(tenant);
        }
        databases.checkpoint(tenant);
      } catch (ViewException unusable) {
        failed.add(tenant);
        marks.remove(tenant);
        if (isParked) {
          // It catches up from its own position, and is touched again when it comes back.
          continue;
        }
        parked.add(notDurable(tenant, unusable));
        if (unusable.kind() == ViewException.Kind.DAMAGED) {
          loop.parked().park(tenant, Cause.DAMAGED, ApplyLoop.message(unusable), 0, -1);
        } else {
          Events.warning("checkpoint_failed", "tenant", tenant, "reason", unusable.getMessage());
        }
      }
    }
    progress.touch(failed);
    Map<String, TenantMark> durable = progress.durable(marks);
    AppliedThrough through =
        new AppliedThrough(
            todo.through(),
            epoch == null ? "" : epoch,
            durable,
            parked,
            loop.unreadable().waiting(),
            loop.unreadable().quarantined(),
            todo.lost(),
            retention.proven());
    try {
      file.write(stream, through);
    } catch (IOException unwritable) {
      Events.warning("applied_through_unwritable", "reason", unwritable.toString());
      return false;
    }
    durableThrough = through.through();
    retention.durable(through);
    return true;
  }

  /// The next start catches the tenant up from its own position.
  private static Parked notDurable(String tenant, ViewException unusable) {
    return new Parked(
        tenant,
        unusable.kind() == ViewException.Kind.DAMAGED ? Cause.DAMAGED : Cause.BEHIND,
        ApplyLoop.message(unusable),
        0,
        0,
        0,
        0,
        0,
        -1);
  }
}
