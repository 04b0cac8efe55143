package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.queue.LogEntry;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;

/** What an agent said to records that were sent together. */
record Round(
    List<LogEntry> stored,
    List<LogEntry> refused,
    List<LogEntry> failed,
    List<Status> failures,
    boolean inOrder) {

  static Round of(List<LogEntry> entries, List<Status> statuses) {
    List<LogEntry> stored = new ArrayList<>();
    List<LogEntry> refused = new ArrayList<>();
    List<LogEntry> failed = new ArrayList<>();
    List<Status> failures = new ArrayList<>();
    boolean inOrder = true;
    for (int i = 0; i < entries.size(); i++) {
      Status status = statuses.get(i);
      if (status.isOk()) {
        inOrder &= failed.isEmpty();
        stored.add(entries.get(i));
      } else if (status.getCode() == Status.Code.INVALID_ARGUMENT) {
        refused.add(entries.get(i));
      } else {
        failed.add(entries.get(i));
        failures.add(status);
      }
    }
    return new Round(stored, refused, failed, failures, inOrder);
  }

  /**
   * Whether all that failed did so because nobody was there, and nothing behind it was stored: then
   * it can go the same way again, and in order.
   */
  boolean hasVanished() {
    return inOrder && failures.stream().allMatch(s -> s.getCode() == Status.Code.UNAVAILABLE);
  }

  /** For a person. */
  String why() {
    Status first = failures.get(0);
    return first.getCode() + ": " + first.getDescription();
  }
}
