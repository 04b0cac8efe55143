package com.datanadhi.sdk.internal.echopost;

import java.time.Duration;

/**
 * How long EchoPost is waited for.
 *
 * @param start until the socket answers
 * @param call until a record is acknowledged
 * @param downloadStall how long nothing of the program may come
 * @param firstCooldown how long it is left alone after a failure; each further one doubles that
 * @param longestCooldown but no longer than this
 * @param look between two looks at whether an agent that is gone left records behind
 */
public record Timeouts(
    Duration start,
    Duration call,
    Duration downloadStall,
    Duration firstCooldown,
    Duration longestCooldown,
    Duration look) {
  /** What applications get. */
  public static final Timeouts DEFAULT =
      new Timeouts(
          Duration.ofSeconds(2),
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofMinutes(1),
          Duration.ofHours(1),
          Duration.ofSeconds(5));
}
