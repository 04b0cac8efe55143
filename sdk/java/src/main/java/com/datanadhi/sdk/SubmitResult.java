package com.datanadhi.sdk;

/** What {@link DataNadhi#submit} did with a record. */
public enum SubmitResult {
  /** The client has the record and will deliver it, or keep it in a file. */
  ACCEPTED,
  /** The application's {@link BeforeSend} dropped the record. */
  FILTERED,
  /**
   * The record was refused: the memory for records ({@link DataNadhiConfiguration#queueBytes}), or
   * their number ({@link DataNadhiConfiguration#queueSize}), is used up. It can be submitted again
   * later.
   */
  QUEUE_FULL,
  /** The record was refused: the client is closed, or the JVM ends. */
  CLOSED;

  /**
   * Whether the client has the record, or has dropped it as the application's {@link BeforeSend}
   * wants. Otherwise the caller still has it.
   */
  public boolean isAccepted() {
    return this == ACCEPTED || this == FILTERED;
  }
}
