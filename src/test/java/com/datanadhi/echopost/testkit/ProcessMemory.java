package com.datanadhi.echopost.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What Linux says of a process's memory, in bytes, at the moment of the call. Thread-safe.
///
/// Every method throws an [IOException] when there is no such process (any more).
public final class ProcessMemory {
  private final Path process;

  public ProcessMemory(long pid) {
    this.process = Path.of("/proc", Long.toString(pid));
  }

  /// The resident set: pages that are shared with others count in full.
  public long resident() throws IOException {
    return bytes("status", "VmRSS:");
  }

  /// The largest resident set that there ever was.
  public long peakResident() throws IOException {
    return bytes("status", "VmHWM:");
  }

  /// The proportional set: of pages that are shared with others, its share.
  public long proportional() throws IOException {
    return bytes("smaps_rollup", "Pss:");
  }

  private long bytes(String file, String field) throws IOException {
    return Files.readAllLines(process.resolve(file)).stream()
        .filter(line -> line.startsWith(field))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
        .findFirst()
        .orElseThrow(() -> new IOException(process.resolve(file) + " says nothing of " + field));
  }
}
