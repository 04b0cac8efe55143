package com.datanadhi.sdk.internal.http;

/** The result of a request that delivers records to a server. */
public sealed interface DeliveryOutcome {
  /** The server acknowledged the records (status 2xx). */
  record Delivered() implements DeliveryOutcome {}

  /** The server rejected the records; a retry would get the same status, which is 300 to 500. */
  record Rejected(int status) implements DeliveryOutcome {}

  /** The server is down: a status above 500, no response in time, or no connection. */
  record Unavailable(String reason) implements DeliveryOutcome {}

  /** Another thread cancelled the request; the server may have received the records. */
  record Cancelled() implements DeliveryOutcome {}

  /** Maps the course of a request by the rule that the SDKs of all languages share. */
  static DeliveryOutcome of(Exchange exchange) {
    if (exchange instanceof Exchange.Answered answer) {
      return of(answer.status());
    }
    return exchange instanceof Exchange.Failed failed
        ? new Unavailable(failed.reason())
        : new Cancelled();
  }

  private static DeliveryOutcome of(int status) {
    if (status >= 200 && status < 300) {
      return new Delivered();
    }
    if (status >= 300 && status <= 500) {
      return new Rejected(status);
    }
    return new Unavailable("it answered " + status);
  }
}
