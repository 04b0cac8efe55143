package com.datanadhi.sdk.internal.http;

import java.net.http.HttpHeaders;
import java.util.function.Function;

/** The course of one request to a server. */
sealed interface Exchange {
  /**
   * What it means for the records in the request.
   *
   * @param ofAnswer what an answer means
   */
  default DeliveryOutcome outcome(Function<Answered, DeliveryOutcome> ofAnswer) {
    if (this instanceof Answered answer) {
      return ofAnswer.apply(answer);
    }
    return this instanceof Failed failed
        ? new DeliveryOutcome.Unavailable(Downtime.of(failed))
        : new DeliveryOutcome.Cancelled();
  }

  /**
   * The server answered: its status has arrived.
   *
   * @param body the start of the body, as long as the request asked for; empty for most requests
   * @param complete whether the whole body has arrived
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Answered(int status, HttpHeaders headers, byte[] body, boolean complete)
      implements Exchange {
    boolean isSuccess() {
      return status >= 200 && status < 300;
    }
  }

  /**
   * There is no answer: no status in time, or no connection.
   *
   * @param connectionBroke whether an open connection failed; the server may have closed it while
   *     it was idle
   */
  record Failed(String reason, boolean connectionBroke) implements Exchange {}

  /** Another thread cancelled the request; the server may have received it. */
  record Cancelled() implements Exchange {}
}
