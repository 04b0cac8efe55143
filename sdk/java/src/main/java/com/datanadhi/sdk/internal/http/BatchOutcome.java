package com.datanadhi.sdk.internal.http;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.util.List;

/** The result of a request that delivers a batch of records to the main server. */
public sealed interface BatchOutcome {
  /**
   * The server decided about every record.
   *
   * @param delivered records that it stored, now or before
   * @param rejected records that it will never accept
   */
  record Decided(List<OutgoingRecord> delivered, List<Rejection> rejected)
      implements BatchOutcome {}

  /** A record that the server rejected with a final status. */
  record Rejection(OutgoingRecord record, int status) {}

  /** The server accepted the batch, but its answer says nothing that can be relied on. */
  record Unreadable(String reason) implements BatchOutcome {}

  /** The batch is too large for the server; a smaller one may not be. */
  record TooLarge() implements BatchOutcome {}

  /** The server rejected the batch as a whole, which says nothing about its records. */
  record Refused(int status) implements BatchOutcome {}

  /** The server does not accept the records now: it said so, or did not answer. */
  record Unavailable(Downtime downtime) implements BatchOutcome {}

  /** Another thread cancelled the request; the server may have received the records. */
  record Cancelled() implements BatchOutcome {}
}
