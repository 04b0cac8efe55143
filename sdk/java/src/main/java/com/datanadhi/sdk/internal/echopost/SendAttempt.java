package com.datanadhi.sdk.internal.echopost;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;

/**
 * The statuses of records that were sent to an agent together, sorted by their meaning.
 *
 * @param stored records that the agent acknowledged
 * @param refused records that the agent refused as invalid
 * @param failed all other records
 * @param failures the statuses of {@code failed}, in the same order
 * @param inOrder whether no record was stored after one that failed
 */
record SendAttempt(
    List<OutgoingRecord> stored,
    List<OutgoingRecord> refused,
    List<OutgoingRecord> failed,
    List<Status> failures,
    boolean inOrder) {

  static SendAttempt of(List<OutgoingRecord> records, List<Status> statuses) {
    List<OutgoingRecord> stored = new ArrayList<>();
    List<OutgoingRecord> refused = new ArrayList<>();
    List<OutgoingRecord> failed = new ArrayList<>();
    List<Status> failures = new ArrayList<>();
    boolean inOrder = true;
    for (int i = 0; i < records.size(); i++) {
      Status status = statuses.get(i);
      if (status.isOk()) {
        inOrder &= failed.isEmpty();
        stored.add(records.get(i));
      } else if (status.getCode() == Status.Code.INVALID_ARGUMENT) {
        refused.add(records.get(i));
      } else {
        failed.add(records.get(i));
        failures.add(status);
      }
    }
    return new SendAttempt(stored, refused, failed, failures, inOrder);
  }

  /**
   * Whether every failure means that the connection to the agent was lost or never made, and the
   * failed records can be sent again without changing the order of the stored ones.
   */
  boolean lostAgent() {
    return inOrder && failures.stream().allMatch(s -> s.getCode() == Status.Code.UNAVAILABLE);
  }

  /** The first failure, for people. */
  String firstFailure() {
    Status first = failures.get(0);
    return first.getCode() + ": " + first.getDescription();
  }
}
