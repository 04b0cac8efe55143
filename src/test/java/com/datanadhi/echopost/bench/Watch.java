package com.datanadhi.echopost.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/// Adds up the time and the CPU time of parts of what the calling thread does. Not thread-safe.
final class Watch {
  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
  private long nanos;
  private long cpuNanos;

  void start() {
    nanos -= System.nanoTime();
    cpuNanos -= threads.getCurrentThreadCpuTime();
  }

  void stop() {
    cpuNanos += threads.getCurrentThreadCpuTime();
    nanos += System.nanoTime();
  }

  /// Prints the records per second, and the CPU time per record in microseconds.
  void print(long records) {
    System.out.println(records / (nanos / 1e9));
    System.out.println(cpuNanos / 1e3 / records);
  }
}
