package com.datanadhi.echopost.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The memory of a process on Linux, in bytes, at the time of the call. Thread-safe.
///
/// Every method throws an [IOException] if the process does not exist.
public final class ProcessMemory {
  private final Path process;

  public ProcessMemory(long pid) {
    this.process = Path.of("/proc", Long.toString(pid));
  }

  /// The resident set size. Pages that other processes share count in full.
  public long resident() throws IOException {
    return bytes("status", "VmRSS:");
  }

  /// The peak resident set size since the process started.
  public long peakResident() throws IOException {
    return bytes("status", "VmHWM:");
  }

  /// The proportional set size. A page that n processes share counts as 1/n.
  public long proportional() throws IOException {
    return bytes("smaps_rollup", "Pss:");
  }

  private long bytes(String file, String field) throws IOException {
    return Files.readAllLines(process.resolve(file)).stream()
        .filter(line -> line.startsWith(field))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
        .findFirst()
        .orElseThrow(() -> new IOException(process.resolve(file) + " has no field " + field));
  }
}
