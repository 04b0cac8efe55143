package com.datanadhi.sdk;

/**
 * The state of EchoPost in this process.
 *
 * @param status whether records can be sent to EchoPost
 * @param detail the reason, for people; can be empty
 */
public record EchoPostState(Status status, String detail) {
  /** Whether records can be sent to EchoPost. */
  public enum Status {
    /** The configuration disables EchoPost, for the whole life of the client. */
    DISABLED,
    /**
     * There is no EchoPost for this operating system or processor, for the whole life of the
     * client.
     */
    UNSUPPORTED,
    /**
     * No program is installed, and the mode {@link EchoPostMode#ONLY_IF_PRESENT} forbids to
     * download one. It is used as soon as it is installed.
     */
    NOT_INSTALLED,
    /** The SDK looks for the program or downloads it. */
    PREPARING,
    /** The program is installed. An agent is started when the main server is down. */
    READY,
    /** EchoPost failed. The SDK tries again after a cool-down of 1 min, which doubles up to 1 h. */
    COOLING_DOWN
  }
}
