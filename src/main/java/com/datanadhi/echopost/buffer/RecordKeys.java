package com.datanadhi.echopost.buffer;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The idempotency keys that one run gives to the records that have none: `<source>-<n>`, where the
/// source is a random UUID of this run, and n counts these records from 1, without gaps.
///
/// Neither a copy of the directory nor an earlier state that was put back contains the source. So
/// two records never have one key, whatever happens to the files.
///
/// A number counts when its record is committed. One whose transaction is rolled back is given
/// again. If it is not known whether a commit succeeded, the run stores no record any more.
///
/// Used by one thread at a time, as [BufferWriter] is.
public final class RecordKeys {
  /// The digits of the largest `long`.
  private static final int MAX_DIGITS = 19;

  // Created for the first key: most runs of a command need none.
  private byte @Nullable [] prefix;
  private long committed;
  private long last;

  /// The next key, in ASCII.
  byte[] next() {
    byte[] start = prefix;
    if (start == null) {
      start = (RandomId.create() + "-").getBytes(US_ASCII);
      prefix = start;
    }
    last++;
    byte[] key = Arrays.copyOf(start, start.length + digits(last));
    long rest = last;
    for (int at = key.length - 1; at >= start.length; at--) {
      key[at] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    return key;
  }

  private static int digits(long number) {
    int digits = 1;
    for (long limit = 10; digits < MAX_DIGITS && number >= limit; limit *= 10) {
      digits++;
    }
    return digits;
  }

  /// The transaction is committed: its keys are given.
  void commit() {
    committed = last;
  }

  /// The transaction is rolled back: its numbers are given again.
  void rollback() {
    last = committed;
  }
}
