package com.datanadhi.sdk.internal.http;

/** What a server said to a delivery, or that it said nothing. */
public sealed interface DeliveryOutcome {
  /** 2xx. */
  record Delivered() implements DeliveryOutcome {}

  /** 300 to 500: it will not take this as it is. */
  record Refused(int status) implements DeliveryOutcome {}

  /**
   * Over 500, no answer in time, no connection: it is down.
   *
   * @param mayBeStale whether a connection broke, which may have been an old one
   */
  record Unavailable(String why, boolean mayBeStale) implements DeliveryOutcome {}

  /** We did not wait for the answer; the server may have taken it. */
  record Abandoned() implements DeliveryOutcome {}

  /** By the rule that all SDKs have. */
  static DeliveryOutcome of(int status) {
    if (status >= 200 && status < 300) {
      return new Delivered();
    }
    if (status >= 300 && status <= 500) {
      return new Refused(status);
    }
    return new Unavailable("it answered " + status, false);
  }
}
