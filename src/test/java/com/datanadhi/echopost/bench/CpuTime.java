package com.datanadhi.echopost.bench;

import java.time.Duration;

/// The CPU time of a process since a moment.
///
/// @param before the CPU time until that moment
record CpuTime(ProcessHandle process, Duration before) {
  static CpuTime of(ProcessHandle process) {
    return new CpuTime(process, total(process));
  }

  /// The CPU time since then, divided by a number of records, in microseconds.
  double microsPerRecord(long records) {
    return total(process).minus(before).toNanos() / 1e3 / records;
  }

  private static Duration total(ProcessHandle process) {
    return process
        .info()
        .totalCpuDuration()
        .orElseThrow(() -> new IllegalStateException(process.pid() + " has ended"));
  }
}
