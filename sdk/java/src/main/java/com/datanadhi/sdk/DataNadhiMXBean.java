package com.datanadhi.sdk;

import java.util.Map;

/**
 * The {@link Counters} of a client over JMX. The object name is {@code
 * com.datanadhi.sdk:type=DataNadhi,directory="…"}.
 */
public interface DataNadhiMXBean {
  /** See {@link Counters#submitted}. */
  long getSubmitted();

  /** See {@link Counters#refused}. */
  long getRefused();

  /** See {@link Counters#deliveredToMainServer}. */
  long getDeliveredToMainServer();

  /** See {@link Counters#deliveredToEchoPost}. */
  long getDeliveredToEchoPost();

  /** See {@link Counters#deliveredToFallback}. */
  long getDeliveredToFallback();

  /** See {@link Counters#dropped}. */
  Map<String, Long> getDropped();

  /** See {@link Counters#lost}. */
  long getLost();

  /** See {@link Counters#queueDepth}. */
  int getQueueDepth();

  /** The name of the {@link EchoPostState.Status}. */
  String getEchoPostStatus();

  /** See {@link EchoPostState#detail}. */
  String getEchoPostDetail();
}
