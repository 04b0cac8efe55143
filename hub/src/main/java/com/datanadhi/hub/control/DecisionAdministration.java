package com.datanadhi.hub.control;

import static com.datanadhi.hub.control.ControlLog.STREAM;

import com.datanadhi.hub.apply.ApplyDecisions.Loss;
import com.datanadhi.hub.log.DamagedException;
import com.datanadhi.hub.log.Log;
import com.datanadhi.hub.log.LogEntry;
import com.datanadhi.hub.logging.Events;
import com.datanadhi.hub.record.EventCodec;
import com.datanadhi.hub.record.Position;
import com.datanadhi.hub.record.Transaction;
import com.datanadhi.hub.view.TenantDatabases;
import com.datanadhi.hub.view.ViewException;
import java.io.IOException;
import java.util.List;

/// Records what operators, or the hub itself, decide about log records. Thread-safe.
final class DecisionAdministration {
  private static final int MAX_REASON_LENGTH = 1_000;

  private final Log log;
  private final TenantDatabases databases;
  private final ControlFollower follower;
  private final KnownDecisions decisions;

  DecisionAdministration(
      Log log, TenantDatabases databases, ControlFollower follower, KnownDecisions decisions) {
    this.log = log;
    this.databases = databases;
    this.follower = follower;
    this.decisions = decisions;
  }

  /// Decides that a log record is not applied.
  ///
  /// @throws IllegalArgumentException there is no such log record, or it is applied already; the
  ///   message says which
  void skip(Position position, String reason)
      throws ControlUnavailableException, IOException, InterruptedException {
    checkReason(reason);
    if (position.stream().equals(STREAM)) {
      acceptLossOfControl(position, reason);
      return;
    }
    follower.checkReady();
    checkCanBeSkipped(position);
    if (decisions.skipReason(position.stream(), position.offset()) == null) {
      follower.record(
          new ControlRecord.Skip(
              position.toString(), position.stream(), position.offset(), reason));
      Events.warning("record_skipped", "position", position, "reason", reason);
    }
  }

  /// Records that nothing can replace a range of log records.
  void recordLoss(String stream, Loss loss)
      throws ControlUnavailableException, InterruptedException {
    follower.checkReady();
    if (!decisions.losses(stream).contains(loss)) {
      follower.record(new ControlRecord.Loss(stream, loss.first(), loss.last(), loss.reason()));
      Events.severe(
          "records_lost",
          null,
          "stream",
          stream,
          "first",
          loss.first(),
          "last",
          loss.last(),
          "reason",
          loss.reason());
    }
  }

  private static void checkReason(String reason) {
    if (reason.isBlank() || reason.length() > MAX_REASON_LENGTH) {
      throw new IllegalArgumentException("a reason has 1 to 1,000 characters");
    }
  }

  private void acceptLossOfControl(Position position, String reason)
      throws ControlUnavailableException, IOException, InterruptedException {
    Loss damaged = follower.damage();
    if (damaged == null
        || position.offset() < damaged.first()
        || position.offset() > damaged.last()) {
      throw new IllegalArgumentException(
          position + " is not damaged; records of " + STREAM + " can only be skipped if they are");
    }
    follower.record(new ControlRecord.Loss(STREAM, damaged.first(), damaged.last(), reason));
    try {
      follower.start();
    } catch (ControlDamagedException furtherOn) {
      throw new ControlUnavailableException(String.valueOf(furtherOn.getMessage()));
    }
  }

  /// A record that a live tenant has applied is applied in each rebuild too.
  private void checkCanBeSkipped(Position position)
      throws ControlUnavailableException, IOException, InterruptedException {
    List<LogEntry> found;
    try {
      found = log.read(position.stream(), position.offset(), 1, 1);
    } catch (DamagedException damaged) {
      throw new IllegalArgumentException(
          "the log record " + position + " is damaged, not poisonous: " + damaged.getMessage(),
          damaged);
    }
    if (found.isEmpty()
        || found.getFirst().offset() != position.offset()
        || !found.getFirst().epoch().toString().startsWith(position.epoch())) {
      throw new IllegalArgumentException("the log has no record " + position);
    }
    List<Transaction> transactions;
    try {
      transactions = EventCodec.decode(found.getFirst().payload()).transactions();
    } catch (EventCodec.InvalidBodyException noTenantCanApplyIt) {
      return;
    }
    for (String tenant : transactions.stream().map(Transaction::tenant).distinct().toList()) {
      try {
        if (databases.exists(tenant)
            && databases.read(tenant, reader -> reader.state().appliedOffset())
                >= position.offset()) {
          throw new IllegalArgumentException(
              "the log record " + position + " is applied already, for tenant " + tenant);
        }
      } catch (ViewException unusable) {
        if (unusable.kind() != ViewException.Kind.DAMAGED) {
          throw new ControlUnavailableException(
              "it cannot be told whether tenant "
                  + tenant
                  + " has applied it: "
                  + unusable.getMessage());
        }
      }
    }
  }
}
