package com.datanadhi.sdk.internal.http;

import java.time.Duration;

/**
 * Why a server cannot be used now.
 *
 * @param reason for people
 * @param answered whether the server answered, so that it is alive
 * @param retryAfter how long it wants to be left alone
 */
public record Downtime(String reason, boolean answered, Duration retryAfter) {
  static Downtime of(Exchange.Failed failed) {
    return new Downtime(failed.reason(), false, Duration.ZERO);
  }

  static Downtime of(Exchange.Answered answer, long nowMillis) {
    return new Downtime(
        "it answered " + answer.status(), true, RetryAfter.of(answer.headers(), nowMillis));
  }
}
