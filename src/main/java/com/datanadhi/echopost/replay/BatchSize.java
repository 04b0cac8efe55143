package com.datanadhi.echopost.replay;

import java.time.Duration;

/// How many records the next batch may have, by the answers to the batches before: from 1 it
/// doubles with each full batch that is answered within a second, up to 1,000. A batch that was too
/// large or answered late is halved, and the size stays at that bound for 16 full batches before it
/// doubles again: a server with a limit answers most batches well, and one large record among small
/// ones does not leave the batches small. A batch that got no answer sets the same bound: some
/// servers close the connection if a batch is too large for them.
///
/// Not thread-safe: only the replay thread uses it.
final class BatchSize {
  static final int LARGEST = 1_000;
  static final Duration PROMPT = Duration.ofSeconds(1);
  static final int PROMPT_AT_BOUND = 16;

  private int records = 1;
  private int bound = LARGEST;
  private int promptAtBound;

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
    } else if (sent >= records) {
      int grown = afterPrompt(sent);
      if (records == bound) {
        bound = boundAfterPrompt();
        promptAtBound++;
      }
      records = grown;
    }
  }

  /// What [#records] will be if a batch of `sent` records is answered promptly.
  int afterPrompt(int sent) {
    return sent < records ? records : Math.min(2 * records, boundAfterPrompt());
  }

  private int boundAfterPrompt() {
    return records == bound && promptAtBound + 1 >= PROMPT_AT_BOUND ? LARGEST : bound;
  }

  /// A batch of `sent` records was too large.
  void halve(int sent) {
    records = Math.max(1, sent / 2);
    bound = records;
    promptAtBound = 0;
  }

  /// The server was unavailable, or its answers were of no use: one record shows first whether it
  /// is well.
  void restart() {
    if (records > 1) {
      halve(records);
    }
    records = 1;
  }
}
