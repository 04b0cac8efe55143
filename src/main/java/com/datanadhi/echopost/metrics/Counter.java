package com.datanadhi.echopost.metrics;

import java.util.concurrent.atomic.AtomicLong;

/// A counter. One thread at a time adds, at the cost of a plain field; any thread may read.
public final class Counter {
  private final AtomicLong value = new AtomicLong();

  /// Adds `more`, which is not negative.
  public void add(long more) {
    value.setOpaque(value.getPlain() + more);
  }

  /// The sum so far.
  public long value() {
    return value.getOpaque();
  }
}
