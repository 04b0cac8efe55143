package com.datanadhi.sdk.internal.http;

/** The result of a request that delivers records to a server. */
public sealed interface DeliveryOutcome {
  /** The server acknowledged the records (status 2xx). */
  record Delivered() implements DeliveryOutcome {}

  /** The server rejected the records; a retry would get the same status. */
  record Rejected(int status) implements DeliveryOutcome {}

  /** The server does not accept the records now: it said so, or did not answer. */
  record Unavailable(Downtime downtime) implements DeliveryOutcome {}

  /** Another thread cancelled the request; the server may have received the records. */
  record Cancelled() implements DeliveryOutcome {}
}
