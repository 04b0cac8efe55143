package com.datanadhi.sdk.internal.http;

/** What a server said to a delivery, or that it said nothing. */
public sealed interface Answer {
  /** 2xx. */
  record Delivered() implements Answer {}

  /** 300 to 500: it will not take this as it is. */
  record Refused(int status) implements Answer {}

  /**
   * Over 500, no answer in time, no connection: it is down.
   *
   * @param mayBeStale whether a connection broke, which may have been an old one
   */
  record Unavailable(String why, boolean mayBeStale) implements Answer {}

  /** We did not wait for the answer; the server may have taken it. */
  record Abandoned() implements Answer {}

  /** By the rule that all SDKs have. */
  static Answer of(int status) {
    if (status >= 200 && status < 300) {
      return new Delivered();
    }
    if (status >= 300 && status <= 500) {
      return new Refused(status);
    }
    return new Unavailable("it answered " + status, false);
  }
}
