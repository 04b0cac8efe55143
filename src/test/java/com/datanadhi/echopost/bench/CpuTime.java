package com.datanadhi.echopost.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// The CPU time of a process since a moment.
///
/// @param before the CPU time until that moment
record CpuTime(ProcessHandle process, Duration before) {
  // Of /proc/self/stat, counted behind the name of the program; in hundredths of a second.
  private static final int CHILDREN_USER = 13;
  private static final int CHILDREN_SYSTEM = 14;
  private static final int MILLIS_PER_TICK = 10;

  static CpuTime of(ProcessHandle process) {
    return new CpuTime(process, total(process));
  }

  /// The CPU time since then, divided by a number of records, in microseconds.
  double microsPerRecord(long records) {
    return total(process).minus(before).toNanos() / 1e3 / records;
  }

  /// The CPU time of all child processes of this one that have ended.
  static Duration ofEndedChildren() throws IOException {
    String stat = Files.readString(Path.of("/proc/self/stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    long ticks = Long.parseLong(fields[CHILDREN_USER]) + Long.parseLong(fields[CHILDREN_SYSTEM]);
    return Duration.ofMillis(ticks * MILLIS_PER_TICK);
  }

  private static Duration total(ProcessHandle process) {
    return process
        .info()
        .totalCpuDuration()
        .orElseThrow(() -> new IllegalStateException(process.pid() + " has ended"));
  }
}
