package com.datanadhi.hub.grpc;

import com.datanadhi.hub.intake.Outcome;
import com.datanadhi.hub.intake.Submission;
import java.util.List;

/// The way into the log: `Intake::submitEach`. Thread-safe.
@FunctionalInterface
public interface Appends {
  /// Stores transactions in their order; each has an outcome of its own. Returns when each that is
  /// stored is durable.
  List<Outcome> submitEach(String tenant, List<Submission> transactions)
      throws InterruptedException;
}
