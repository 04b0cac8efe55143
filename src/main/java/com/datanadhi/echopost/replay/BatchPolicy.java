package com.datanadhi.echopost.replay;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.record.PendingRecord;
import com.datanadhi.echopost.upstream.DeliveryClient;
import com.datanadhi.echopost.upstream.Offer;
import java.util.List;

/// Decides how many records go together in one request, by the server's offer and its answers; a
/// [Portion] has the records.
///
/// Records go in batches while the server offers it, at most as many as [BatchSize] permits. After
/// three unreadable answers in a row, records go one by one until the next probe succeeds.
///
/// Not thread-safe: only the replay thread uses it.
final class BatchPolicy {
  static final int UNREADABLE_ANSWERS = 3;

  /// Behind a balancer, the offer can change with each response: a change is reported at most once
  /// in this many successful probes, about a minute.
  static final int PROBES_PER_REPORT = 30;

  private final DeliveryClient client;
  private final BatchSize size = new BatchSize();
  private Offer reportedOffer = Offer.NONE;
  private long reportedAtProbe = -PROBES_PER_REPORT;

  // Records up to this id go one by one.
  private long refusedThroughId;

  private int unreadableAnswers;
  private long suspendedAtProbe = -1;
  private boolean suspensionReported;
  private boolean refusalReported;

  BatchPolicy(DeliveryClient client) {
    this.client = client;
  }

  /// The largest number of records of the next batch; 0 while records go one by one. Reads the
  /// server's newest offer.
  int limit() {
    Offer newest = client.offer();
    if (!newest.equals(reportedOffer)
        && client.successfulProbes() - reportedAtProbe >= PROBES_PER_REPORT) {
      reportedOffer = newest;
      reportedAtProbe = client.successfulProbes();
      if (newest.batches()) {
        Events.info(EventNames.BATCHES_OFFERED, "gzip", newest.gzip());
      } else {
        Events.info(EventNames.BATCHES_WITHDRAWN);
      }
    }
    return newest.batches() && client.successfulProbes() != suspendedAtProbe ? size.records() : 0;
  }

  /// What [#limit] will be once a full batch of `sent` records is answered promptly, if nothing
  /// else changes.
  int limitAfter(int sent) {
    return size.afterPrompt(sent);
  }

  /// The first of `records` that are sent together, at least one.
  ///
  /// @param records in replay order; the first is sound
  Portion next(List<PendingRecord> records) {
    return Portion.of(records, limit(), client.offer().gzip(), refusedThroughId);
  }

  /// The server has decided about each record of a batch.
  ///
  /// @param sent the records of the batch
  /// @param nanos the time until its answer
  void settled(int sent, long nanos) {
    unreadableAnswers = 0;
    suspensionReported = false;
    refusalReported = false;
    size.answered(sent, nanos);
  }

  /// The server was unavailable for a batch.
  void unavailable() {
    unreadableAnswers = 0;
    size.restart();
  }

  /// The answer to a batch was unreadable.
  ///
  /// @param reason for the log
  /// @return whether records go one by one from now on
  boolean unreadable(String reason) {
    unreadableAnswers++;
    if (unreadableAnswers < UNREADABLE_ANSWERS) {
      return false;
    }
    unreadableAnswers = 0;
    size.restart();
    suspendedAtProbe = client.successfulProbes();
    if (!suspensionReported) {
      suspensionReported = true;
      Events.warning(
          EventNames.BATCHES_SUSPENDED,
          "reason",
          "the server's answers to batches cannot be used: " + reason,
          "action",
          "records go one by one until the next probe; repair the server's answers to batches");
    }
    return true;
  }

  /// A batch was too large for the server.
  ///
  /// @param throughId its last record
  void tooLarge(int sent, long throughId) {
    unreadableAnswers = 0;
    size.halve(sent);
    if (sent == 1) {
      refusedThroughId = throughId;
    }
  }

  /// The server did not take a batch: its records go one by one.
  ///
  /// @param throughId its last record
  void refused(int status, long throughId) {
    unreadableAnswers = 0;
    refusedThroughId = throughId;
    if (!refusalReported) {
      refusalReported = true;
      Events.warning(
          EventNames.BATCHES_REFUSED,
          "status",
          status,
          "action",
          "the records of such a batch go one by one; let the server take the batches that it"
              + " offers, or not offer them");
    }
  }
}
