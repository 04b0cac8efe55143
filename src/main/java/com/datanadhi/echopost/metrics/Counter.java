package com.datanadhi.echopost.metrics;

import java.util.concurrent.atomic.AtomicLong;

/// Counts up. One thread at a time adds, which costs no more than a plain field; any may read.
public final class Counter {
  private final AtomicLong value = new AtomicLong();

  /// Adds `more`, which is not negative.
  public void add(long more) {
    value.setOpaque(value.getPlain() + more);
  }

  /// How far it has come.
  public long value() {
    return value.getOpaque();
  }
}
