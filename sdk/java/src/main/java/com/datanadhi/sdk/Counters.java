package com.datanadhi.sdk;

import java.util.Map;

/**
 * The counts of a client since it was opened. When every record has an outcome, and always after
 * the client was closed, {@code submitted = delivered() + droppedTotal() + filtered + lost}, and
 * {@code queueDepth} is 0. The numbers are read one after the other, so while the client works they
 * need not add up.
 *
 * @param submitted records that {@code submit} accepted, and those that a {@link BeforeSend}
 *     dropped
 * @param refused records that {@code submit} refused, because the queue was full or the client was
 *     closed; the caller still has them
 * @param deliveredToMainServer records that the main server acknowledged
 * @param deliveredToEchoPost records that EchoPost has on stable storage
 * @param deliveredToFallback records that the fallback server acknowledged
 * @param dropped records that were written to files in {@code dropped/}, by reason
 * @param filtered records that a {@link BeforeSend} dropped
 * @param withheld records whose content is not delivered, because a {@link BeforeSend} failed; a
 *     record that says so takes the place of each
 * @param lost records that could not be delivered or written to a file before the client was closed
 * @param replacedValues values in submitted records that were replaced by a text, because they
 *     threw, contained themselves or were nested too deeply
 * @param truncated submitted records that were larger than the maximum size and were truncated
 * @param redelivered records from files that were delivered, those of earlier processes included;
 *     in {@code dropped} they stay counted
 * @param expired records that were deleted because their files were older than {@link
 *     DataNadhiConfiguration#droppedMaxAge}; in {@code dropped} they stay counted
 * @param queueDepth records that wait in memory
 * @param queueBytes the memory that the records without an outcome occupy, in bytes; at most {@link
 *     DataNadhiConfiguration#queueBytes}, unless one record alone is larger
 * @param echoPost the state of EchoPost in this process
 */
public record Counters(
    long submitted,
    long refused,
    long deliveredToMainServer,
    long deliveredToEchoPost,
    long deliveredToFallback,
    Map<String, Long> dropped,
    long filtered,
    long withheld,
    long lost,
    long replacedValues,
    long truncated,
    long redelivered,
    long expired,
    int queueDepth,
    long queueBytes,
    EchoPostState echoPost) {

  /** Copies {@code dropped}. */
  public Counters {
    dropped = Map.copyOf(dropped);
  }

  /** Records that were delivered, to any destination. */
  public long delivered() {
    return deliveredToMainServer + deliveredToEchoPost + deliveredToFallback;
  }

  /** Records that were written to files in {@code dropped/}, for any reason. */
  public long droppedTotal() {
    return dropped.values().stream().mapToLong(Long::longValue).sum();
  }
}
