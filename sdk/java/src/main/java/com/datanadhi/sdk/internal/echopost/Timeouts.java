package com.datanadhi.sdk.internal.echopost;

import java.time.Duration;

/**
 * The time-outs and intervals for EchoPost.
 *
 * @param start until a new agent accepts connections
 * @param call until an agent acknowledges a record
 * @param downloadStall how long a download may receive no data
 * @param firstCooldown the cool-down after the first failure; it doubles with each further one
 * @param maxCooldown the longest cool-down
 * @param backlogCheckInterval between two checks of the buffer for records that no agent delivers
 * @param update between two looks for a newer program, by all processes with the same directory
 */
public record Timeouts(
    Duration start,
    Duration call,
    Duration downloadStall,
    Duration firstCooldown,
    Duration maxCooldown,
    Duration backlogCheckInterval,
    Duration update) {
  /** The values for applications. */
  public static final Timeouts DEFAULT =
      new Timeouts(
          Duration.ofSeconds(2),
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofMinutes(1),
          Duration.ofHours(1),
          Duration.ofSeconds(5),
          Duration.ofDays(1));
}
