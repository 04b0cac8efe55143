package com.datanadhi.sdk;

import java.util.Map;

/**
 * The {@link Counters} of a client as a JMX MXBean. Counts start at 0 when the client is opened;
 * each attribute is read separately, so attributes need not add up while the client works. The
 * object name is {@code com.datanadhi.sdk:type=DataNadhi,directory="…"}.
 */
public interface DataNadhiMXBean {
  /** The number of records that {@code submit} accepted; {@link Counters#submitted}. */
  long getSubmitted();

  /** The number of records that {@code submit} refused; {@link Counters#refused}. */
  long getRefused();

  /**
   * The number of records that the main server acknowledged; {@link
   * Counters#deliveredToMainServer}.
   */
  long getDeliveredToMainServer();

  /** The number of records that EchoPost acknowledged; {@link Counters#deliveredToEchoPost}. */
  long getDeliveredToEchoPost();

  /**
   * The number of records that the fallback server acknowledged; {@link
   * Counters#deliveredToFallback}.
   */
  long getDeliveredToFallback();

  /** The number of records that were written to files, by reason; {@link Counters#dropped}. */
  Map<String, Long> getDropped();

  /** The number of records that a hook dropped; {@link Counters#filtered}. */
  long getFiltered();

  /** The number of records whose content was withheld; {@link Counters#withheld}. */
  long getWithheld();

  /**
   * The number of records that could not be delivered or written to a file before the client was
   * closed; {@link Counters#lost}.
   */
  long getLost();

  /** The number of values that were replaced by a text; {@link Counters#replacedValues}. */
  long getReplacedValues();

  /** The number of records that were truncated; {@link Counters#truncated}. */
  long getTruncated();

  /** The number of records from files that were delivered; {@link Counters#redelivered}. */
  long getRedelivered();

  /** The number of records that were deleted with old files; {@link Counters#expired}. */
  long getExpired();

  /** The memory that records without an outcome occupy, in bytes; {@link Counters#queueBytes}. */
  long getQueueBytes();

  /** The number of records that wait in memory; {@link Counters#queueDepth}. */
  int getQueueDepth();

  /** Whether records can be sent to EchoPost: the name of an {@link EchoPostState.Status}. */
  String getEchoPostStatus();

  /** The reason for the status, for people; can be empty; {@link EchoPostState#detail}. */
  String getEchoPostDetail();
}
