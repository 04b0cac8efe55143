package com.datanadhi.hub.intake;

import java.util.List;

/// The one way in: validates, looks up keys, joins or appends, and answers when the records are
/// durable. Thread-safe; calls block, so they are made on virtual threads.
public final class Intake {
  /// One transaction.
  public Outcome submit(String tenant, Submission transaction) throws InterruptedException {
    throw new UnsupportedOperationException();
  }

  /// Several transactions, in their order; each has an outcome of its own. If one is `Unavailable`,
  /// the sender sends all again.
  public List<Outcome> submitEach(String tenant, List<Submission> transactions)
      throws InterruptedException {
    throw new UnsupportedOperationException();
  }

  /// Several transactions, of which all that are not known yet become one log record, or none. The
  /// outcomes are in the order given. If one is `Invalid` or `Conflict`, nothing was stored, and
  /// the others are of no account.
  public List<Outcome> submitTogether(String tenant, List<Submission> transactions)
      throws InterruptedException {
    throw new UnsupportedOperationException();
  }
}
