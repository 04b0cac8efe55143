package com.datanadhi.echopost.agent;

import com.datanadhi.echopost.logging.EventNames;
import com.datanadhi.echopost.logging.Events;
import com.datanadhi.echopost.metrics.Exposition;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The metrics of the process's memory. They are read without the JDK's management beans, whose
/// module is not in the program's runtime image.
final class ProcessMemoryMetrics {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String RESIDENT = "VmRSS:";
  private static final int KIB = 1 << 10;

  private ProcessMemoryMetrics() {}

  static void writeTo(Exposition out) {
    Runtime jvm = Runtime.getRuntime();
    out.gauge(
        "echopost_jvm_heap_used_bytes",
        "Java heap in use, including garbage.",
        jvm.totalMemory() - jvm.freeMemory());
    out.gauge(
        "echopost_jvm_heap_committed_bytes", "Java heap taken from the system.", jvm.totalMemory());
    out.gauge("echopost_jvm_heap_max_bytes", "The largest size of the Java heap.", jvm.maxMemory());
    out.gauge(
        "echopost_jvm_direct_used_bytes",
        "Memory of network buffers outside the heap.",
        Math.max(0, PlatformDependent.usedDirectMemory()));
    if (Files.exists(STATUS)) {
      out.gauge(
          "echopost_resident_memory_bytes",
          "Memory of the process that is in RAM; only on Linux.",
          resident());
    }
  }

  private static double resident() {
    try {
      for (String line : Files.readAllLines(STATUS)) {
        if (line.startsWith(RESIDENT)) {
          String kib = line.substring(RESIDENT.length(), line.length() - " kB".length()).strip();
          return Long.parseLong(kib) * (double) KIB;
        }
      }
    } catch (IOException unreadable) {
      Events.warning(EventNames.RESIDENT_MEMORY_UNKNOWN, "reason", unreadable.toString());
    }
    return Double.NaN;
  }
}
