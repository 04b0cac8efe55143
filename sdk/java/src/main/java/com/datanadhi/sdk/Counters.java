package com.datanadhi.sdk;

import java.util.Map;

/**
 * What a client did so far. Once the queue is empty and nothing is in hand, {@code submitted =
 * delivered() + droppedTotal() + lost}. A snapshot; the numbers are read one after the other.
 *
 * @param submitted records that were taken
 * @param refused records that were not taken, because the queue was full or the client closed: they
 *     are the caller's
 * @param deliveredToMainServer records that the main server has acknowledged
 * @param deliveredToEchoPost records that EchoPost has on stable storage
 * @param deliveredToFallback records that the fallback server has acknowledged
 * @param dropped records that were kept in a file in {@code dropped/}, by reason
 * @param lost records for which at the end not even a file could be written
 * @param queueDepth records that wait
 * @param echoPost what has become of EchoPost
 */
public record Counters(
    long submitted,
    long refused,
    long deliveredToMainServer,
    long deliveredToEchoPost,
    long deliveredToFallback,
    Map<String, Long> dropped,
    long lost,
    int queueDepth,
    EchoPostState echoPost) {

  /** Makes its own copy of {@code dropped}. */
  public Counters {
    dropped = Map.copyOf(dropped);
  }

  /** Records that were acknowledged, whichever way they took. */
  public long delivered() {
    return deliveredToMainServer + deliveredToEchoPost + deliveredToFallback;
  }

  /** Records in files in {@code dropped/}, for whatever reason. */
  public long droppedTotal() {
    return dropped.values().stream().mapToLong(Long::longValue).sum();
  }
}
