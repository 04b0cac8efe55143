package com.datanadhi.hub.metrics;

import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;

/// The metrics of the Java runtime and of its process.
public final class JvmMetrics {
  private static final Path STATUS = Path.of("/proc/self/statm");
  private static final int PAGE_BYTES = 4096;

  private JvmMetrics() {}

  /// Adds them.
  public static void register(HubMetrics metrics) {
    metrics.gauge(
        "hub_jvm_heap_used_bytes",
        "Used heap.",
        () -> ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
    metrics.gauge(
        "hub_jvm_heap_max_bytes",
        "Largest heap.",
        () -> ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getMax());
    metrics.gauge(
        "hub_jvm_threads",
        "Platform threads.",
        () -> ManagementFactory.getThreadMXBean().getThreadCount());
    metrics.counters(
        "hub_jvm_gc_seconds",
        "Time in garbage collections.",
        "collector",
        JvmMetrics::collectionSeconds);
    metrics.gauge(
        "process_resident_memory_bytes", "Resident memory; 0 if unknown.", JvmMetrics::resident);
    metrics.gauge(
        "process_start_time_seconds",
        "Start of the process since 1970.",
        () -> ManagementFactory.getRuntimeMXBean().getStartTime() / 1e3);
  }

  private static Map<String, Double> collectionSeconds() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
        .collect(
            Collectors.toMap(
                GarbageCollectorMXBean::getName, bean -> bean.getCollectionTime() / 1e3));
  }

  private static double resident() {
    try {
      return Double.parseDouble(Files.readString(STATUS).split(" ", -1)[1]) * PAGE_BYTES;
    } catch (IOException notLinux) {
      return 0;
    }
  }
}
