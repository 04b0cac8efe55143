package com.datanadhi.echopost.bench;

import java.time.Duration;

/// What a process takes of the processors from a moment on.
///
/// @param before what it had taken until then
record ProcessorTime(ProcessHandle process, Duration before) {
  static ProcessorTime of(ProcessHandle process) {
    return new ProcessorTime(process, takenBy(process));
  }

  /// What each of so many records has taken since, in microseconds.
  double microsEach(long records) {
    return takenBy(process).minus(before).toNanos() / 1e3 / records;
  }

  private static Duration takenBy(ProcessHandle process) {
    return process
        .info()
        .totalCpuDuration()
        .orElseThrow(() -> new IllegalStateException(process.pid() + " is gone"));
  }
}
