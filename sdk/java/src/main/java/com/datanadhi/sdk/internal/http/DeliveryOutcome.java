package com.datanadhi.sdk.internal.http;

/** The result of a request that delivers records to a server. */
public sealed interface DeliveryOutcome {
  /** The server acknowledged the records (status 2xx). */
  record Delivered() implements DeliveryOutcome {}

  /** The server rejected the records; a retry would get the same status, which is 300 to 500. */
  record Rejected(int status) implements DeliveryOutcome {}

  /**
   * The server is down: a status above 500, no response in time, or no connection.
   *
   * @param connectionBroke whether an open connection failed; the server may have closed it while
   *     it was idle
   */
  record Unavailable(String reason, boolean connectionBroke) implements DeliveryOutcome {}

  /** Another thread cancelled the request; the server may have received the records. */
  record Cancelled() implements DeliveryOutcome {}

  /** Maps an HTTP status by the rule that the SDKs of all languages share. */
  static DeliveryOutcome of(int status) {
    if (status >= 200 && status < 300) {
      return new Delivered();
    }
    if (status >= 300 && status <= 500) {
      return new Rejected(status);
    }
    return new Unavailable("it answered " + status, false);
  }
}
