package com.datanadhi.sdk.internal.queue;

/**
 * The bounds of a queue, and of the batches for which it waits.
 *
 * @param bytes the most bytes of the heap for records that have no outcome
 * @param records the most records that wait; 0 if only the bytes are bounded
 * @param batchRecords the number of records with which a batch is complete
 * @param batchBytes the bytes with which a batch is complete
 */
public record QueueLimits(long bytes, int records, int batchRecords, long batchBytes) {
  /** More records than fit into the memory. */
  private static final int ANY_NUMBER = 1 << 29;

  /** For {@code records} of 0 their number has no bound. */
  public QueueLimits {
    records = records == 0 ? ANY_NUMBER : records;
  }

  /** The bound on records for people. */
  public String recordsForPeople() {
    return records == ANY_NUMBER ? "any number" : Integer.toString(records);
  }
}
