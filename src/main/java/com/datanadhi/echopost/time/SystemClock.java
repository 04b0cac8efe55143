package com.datanadhi.echopost.time;

/// The machine's clocks: `CLOCK_REALTIME` and `CLOCK_MONOTONIC` on Linux.
enum SystemClock implements Clock {
  INSTANCE;

  @Override
  public long millis() {
    return System.currentTimeMillis();
  }

  @Override
  public long nanos() {
    return System.nanoTime();
  }
}
