package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.queue.LogEntry;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;

/** What an agent said to records that were sent together. */
record Round(
    List<LogEntry> stored, List<LogEntry> refused, List<LogEntry> failed, List<Status> failures) {

  static Round of(List<LogEntry> entries, List<Status> statuses) {
    Round round =
        new Round(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    for (int i = 0; i < entries.size(); i++) {
      Status status = statuses.get(i);
      if (status.isOk()) {
        round.stored.add(entries.get(i));
      } else if (status.getCode() == Status.Code.INVALID_ARGUMENT) {
        round.refused.add(entries.get(i));
      } else {
        round.failed.add(entries.get(i));
        round.failures.add(status);
      }
    }
    return round;
  }

  /** Whether all that failed did so because nobody was there: then it may go the same way again. */
  boolean hasVanished() {
    return failures.stream().allMatch(status -> status.getCode() == Status.Code.UNAVAILABLE);
  }

  /** For a person. */
  String why() {
    Status first = failures.get(0);
    return first.getCode() + ": " + first.getDescription();
  }
}
