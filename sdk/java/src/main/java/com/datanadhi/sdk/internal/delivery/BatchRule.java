package com.datanadhi.sdk.internal.delivery;

import com.datanadhi.sdk.internal.queue.OutgoingRecord;
import java.util.function.Predicate;

/**
 * Decides which records in a row one request to the main server can deliver: at least one, and then
 * those that fit the bounds. A payload with line breaks cannot be a line of a batch: it goes by
 * itself. For one request and one thread.
 */
final class BatchRule implements Predicate<OutgoingRecord> {
  /** More than the characters around the values in a line. */
  private static final int FRAME_BYTES = 64;

  /** A char has at most three bytes in UTF-8, or six in an escape sequence of JSON. */
  private static final int MAX_BYTES_PER_CHAR = 6;

  private final int maxRecords;
  private final int maxBytes;
  private int records;
  private long bytes;
  private boolean complete;

  BatchRule(int maxRecords, int maxBytes) {
    this.maxRecords = maxRecords;
    this.maxBytes = maxBytes;
  }

  @Override
  public boolean test(OutgoingRecord next) {
    bytes += lineBytes(next);
    boolean fits =
        records == 0
            || (!complete && records < maxRecords && bytes <= maxBytes && !next.hasLineBreaks());
    records++;
    complete = next.hasLineBreaks();
    return fits;
  }

  /** The size of the record's line, or somewhat more. */
  private static long lineBytes(OutgoingRecord record) {
    long size = FRAME_BYTES + record.key().length() + (long) record.bytes();
    for (String pipeline : record.pipelines()) {
      size += 3 + (long) MAX_BYTES_PER_CHAR * pipeline.length();
    }
    return size;
  }
}
