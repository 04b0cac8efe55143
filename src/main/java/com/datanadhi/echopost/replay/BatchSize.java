package com.datanadhi.echopost.replay;

import java.time.Duration;

/// How many records the next batch may have, by the answers to the batches before: from 1 it
/// doubles with each full batch that is answered within a second, up to 1,000. After a batch that
/// was too large or answered late it is half of that batch, and then grows by a sixteenth only, so
/// that few batches find the limit again; TCP avoids congestion so (RFC 5681, section 3.1).
///
/// Not thread-safe: only the replay thread uses it.
final class BatchSize {
  static final int LARGEST = 1_000;
  static final Duration PROMPT = Duration.ofSeconds(1);
  private static final int SLOW_GROWTH = 16;

  private int records = 1;

  /// Up to this size it doubles.
  private int knownGood = LARGEST;

  int records() {
    return records;
  }

  /// A batch was answered.
  ///
  /// @param sent its records
  /// @param nanos the time from its start to its answer
  void answered(int sent, long nanos) {
    if (nanos > PROMPT.toNanos()) {
      halve(sent);
    } else {
      records = afterPrompt(sent);
    }
  }

  /// What [#records] will be if a batch of `sent` records is answered promptly.
  int afterPrompt(int sent) {
    if (sent < records) {
      return records;
    }
    int grown =
        records < knownGood
            ? Math.min(2 * records, knownGood)
            : records + Math.max(1, records / SLOW_GROWTH);
    return Math.min(grown, LARGEST);
  }

  /// A batch of `sent` records was too large.
  void halve(int sent) {
    records = Math.max(1, sent / 2);
    knownGood = records;
  }

  /// The server was unavailable, or its answers were of no use: one record shows first whether it
  /// is well.
  void restart() {
    records = 1;
  }
}
