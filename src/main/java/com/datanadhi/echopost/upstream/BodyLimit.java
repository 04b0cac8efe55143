package com.datanadhi.echopost.upstream;

import java.time.Duration;

/// How much of a response's body is read.
///
/// @param kept the bytes that are kept, from the start
/// @param longest the bytes that are read; after them the connection is closed
/// @param time how long after the header the body may arrive
/// @param whole whether a body that is not complete is of no use
record BodyLimit(int kept, int longest, Duration time, boolean whole) {
  /// For a body that only people read.
  static final BodyLimit EXCERPT = new BodyLimit(1 << 10, 64 << 10, Duration.ofSeconds(1), false);

  /// For the answer to a batch, which may have an error for each line.
  static final BodyLimit BATCH_ANSWER =
      new BodyLimit(2 << 20, 2 << 20, SequentialDelivery.TIMEOUT, true);
}
