package com.datanadhi.sdk;

/**
 * What has become of EchoPost in this process.
 *
 * @param status whether records can go that way
 * @param detail why, in words for a person; empty when there is nothing to say
 */
public record EchoPostState(Status status, String detail) {
  /** Whether records can go through EchoPost. */
  public enum Status {
    /** The configuration says so; for the life of the client. */
    DISABLED,
    /** There is no EchoPost for this operating system or processor; for the life of the client. */
    UNSUPPORTED,
    /** The program is being looked for, or downloaded. */
    PREPARING,
    /** The program is there; an agent is started when the main server is down. */
    READY,
    /** It failed, and is tried again when the cool-down (1 min, doubling to 1 h) is over. */
    COOLING_DOWN
  }
}
