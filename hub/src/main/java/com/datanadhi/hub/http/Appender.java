package com.datanadhi.hub.http;

import com.datanadhi.hub.intake.Intake;
import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Submission;
import java.util.List;

/// What the door needs of intake; see [Intake]. Thread-safe.
public interface Appender {
  Outcome submit(String tenant, Submission transaction) throws InterruptedException;

  List<Outcome> submitEach(String tenant, List<Submission> transactions)
      throws InterruptedException;

  List<Outcome> submitTogether(String tenant, List<Submission> transactions)
      throws InterruptedException;

  /// The appender that is the hub's intake.
  static Appender of(Intake intake) {
    return new Appender() {
      @Override
      public Outcome submit(String tenant, Submission transaction) throws InterruptedException {
        return intake.submit(tenant, transaction);
      }

      @Override
      public List<Outcome> submitEach(String tenant, List<Submission> transactions)
          throws InterruptedException {
        return intake.submitEach(tenant, transactions);
      }

      @Override
      public List<Outcome> submitTogether(String tenant, List<Submission> transactions)
          throws InterruptedException {
        return intake.submitTogether(tenant, transactions);
      }
    };
  }
}
