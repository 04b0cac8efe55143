package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;

/** What an agent said to records that were sent together. */
record SendAttempt(
    List<OutgoingRecord> stored,
    List<OutgoingRecord> refused,
    List<OutgoingRecord> failed,
    List<Status> failures,
    boolean inOrder) {

  static SendAttempt of(List<OutgoingRecord> entries, List<Status> statuses) {
    List<OutgoingRecord> stored = new ArrayList<>();
    List<OutgoingRecord> refused = new ArrayList<>();
    List<OutgoingRecord> failed = new ArrayList<>();
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
    return new SendAttempt(stored, refused, failed, failures, inOrder);
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
