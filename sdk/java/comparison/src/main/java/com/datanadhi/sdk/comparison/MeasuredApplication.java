package com.datanadhi.sdk.comparison;

import com.sun.management.GarbageCollectionNotificationInfo;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import javax.management.NotificationEmitter;
import javax.management.openmbean.CompositeData;
import org.HdrHistogram.Histogram;

/**
 * A process with one library, which logs on one thread. Arguments: the library, the server's URL,
 * the file for {@link Received}, a directory, whether to use gzip, and the load:
 *
 * <ul>
 *   <li>{@code sustained}: as fast as possible while at most {@link #WINDOW} records have no
 *       answer, so that no library loses any
 *   <li>a number: so many records a second, evenly
 *   <li>{@code burst:} and a number: so many records without a pause
 * </ul>
 *
 * It prints its {@link Figures}.
 */
final class MeasuredApplication {
  /** Less than the 2,048 of OpenTelemetry's queue, which drops what does not fit. */
  private static final int WINDOW = 2_000;

  private static final Duration WARM_UP = Duration.ofSeconds(5);
  private static final Duration MEASUREMENT = Duration.ofSeconds(10);

  private final Library library;
  private final Received received;
  private final Histogram nanos = new Histogram(Duration.ofSeconds(10).toNanos(), 3);
  private final AtomicLong liveBytes = new AtomicLong();
  private final long receivedBefore;
  private int logged;

  private MeasuredApplication(Library library, Received received) {
    this.library = library;
    this.received = received;
    this.receivedBefore = received.records();
  }

  public static void main(String[] args) throws Exception {
    Received received = new Received(Path.of(args[2]));
    Library library =
        Library.open(args[0], args[1], Path.of(args[3]), Boolean.parseBoolean(args[4]));
    new MeasuredApplication(library, received).run(args[5]);
    // The libraries' threads may not all be daemons.
    System.exit(0);
  }

  private void run(String load) throws Exception {
    watchHeap();
    if (load.startsWith("burst:")) {
      // Until the library has learnt what the server offers.
      logSteadily(100, Duration.ofSeconds(2));
    } else {
      logFor(load, WARM_UP);
    }
    awaitAnswers();
    nanos.reset();
    liveBytes.set(0);
    long loggedBefore = logged;
    long receivedAtStart = received.records();
    long bytesAtStart = received.bytes();
    long start = System.nanoTime();
    long processCpu = processCpu();
    long threadCpu = threadCpu();
    if (load.startsWith("burst:")) {
      logBurst(Integer.parseInt(load.substring("burst:".length())));
    } else {
      logFor(load, MEASUREMENT);
    }
    // The generator's own time is not the library's, except that of its calls.
    long generatorCpu = threadCpu() - threadCpu;
    long cpu = processCpu() - processCpu - generatorCpu;
    double seconds = (System.nanoTime() - start) / 1e9;
    long arrived = received.records() - receivedAtStart;
    long calls = logged - loggedBefore;
    double sentBytes = received.bytes() - bytesAtStart;
    long kept = library.close();
    System.out.println(
        new Figures(
                arrived / seconds,
                nanos.getValueAtPercentile(50) / 1e3,
                nanos.getValueAtPercentile(99) / 1e3,
                arrived == 0 ? 0 : (cpu / (double) arrived + nanos.getMean()) / 1e3,
                peakResidentKib() / 1024.0,
                liveBytes.get() / 1048576.0,
                arrived == 0 ? 0 : sentBytes / arrived,
                calls,
                kept,
                unanswered() - kept)
            .toLine());
  }

  private void logFor(String load, Duration time) {
    if (load.equals("sustained")) {
      long end = System.nanoTime() + time.toNanos();
      while (System.nanoTime() - end < 0) {
        long space = WINDOW - unanswered();
        for (long i = 0; i < space; i++) {
          log();
        }
        LockSupport.parkNanos(100_000);
      }
    } else {
      logSteadily(Integer.parseInt(load), time);
    }
  }

  private void logSteadily(int recordsPerSecond, Duration time) {
    long start = System.nanoTime();
    long interval = Duration.ofSeconds(1).toNanos() / recordsPerSecond;
    for (long due = 0; due < time.toNanos(); due += interval) {
      while (System.nanoTime() - start < due) {
        LockSupport.parkNanos(due - (System.nanoTime() - start));
      }
      log();
    }
  }

  private void logBurst(int records) {
    for (int i = 0; i < records; i++) {
      log();
    }
  }

  private void log() {
    long start = System.nanoTime();
    library.log(logged++);
    nanos.recordValue(Math.min(System.nanoTime() - start, nanos.getHighestTrackableValue()));
  }

  private long unanswered() {
    return logged - (received.records() - receivedBefore);
  }

  private void awaitAnswers() {
    long end = System.nanoTime() + Duration.ofSeconds(5).toNanos();
    while (unanswered() > 0 && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  /** Notes the most that was in use after a collection. */
  private void watchHeap() {
    for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      ((NotificationEmitter) collector)
          .addNotificationListener(
              (notification, handback) -> {
                if (notification.getUserData() instanceof CompositeData data) {
                  long used =
                      GarbageCollectionNotificationInfo.from(data)
                          .getGcInfo()
                          .getMemoryUsageAfterGc()
                          .entrySet()
                          .stream()
                          .filter(pool -> !isOutsideHeap(pool.getKey()))
                          .map(java.util.Map.Entry::getValue)
                          .mapToLong(MemoryUsage::getUsed)
                          .sum();
                  long unused = liveBytes.accumulateAndGet(used, Math::max);
                }
              },
              null,
              null);
    }
  }

  private static boolean isOutsideHeap(String pool) {
    return pool.startsWith("Code")
        || pool.startsWith("Metaspace")
        || pool.startsWith("Compressed Class");
  }

  private static long processCpu() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static long threadCpu() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static long peakResidentKib() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("Only Linux tells the peak of the resident memory");
  }

  /**
   * What was measured.
   *
   * @param rate records per second that the server has received
   * @param p50 of a call, in microseconds
   * @param p99 of a call, in microseconds
   * @param cpu of a call and of the library's threads, in microseconds per record
   * @param resident peak of the resident memory in MiB
   * @param live the most heap in use after a collection in MiB; 0 if there was none
   * @param bytes of request bodies per record
   * @param calls how many records were logged
   * @param kept how many records of the whole run are in files
   * @param lost how many records of the whole run are neither there nor at the server
   */
  record Figures(
      double rate,
      double p50,
      double p99,
      double cpu,
      double resident,
      double live,
      double bytes,
      long calls,
      long kept,
      long lost) {
    String toLine() {
      return String.format(
          Locale.ROOT,
          "%f %f %f %f %f %f %f %d %d %d",
          rate,
          p50,
          p99,
          cpu,
          resident,
          live,
          bytes,
          calls,
          kept,
          lost);
    }

    static Figures of(String line) {
      String[] parts = line.split(" ");
      return new Figures(
          Double.parseDouble(parts[0]),
          Double.parseDouble(parts[1]),
          Double.parseDouble(parts[2]),
          Double.parseDouble(parts[3]),
          Double.parseDouble(parts[4]),
          Double.parseDouble(parts[5]),
          Double.parseDouble(parts[6]),
          Long.parseLong(parts[7]),
          Long.parseLong(parts[8]),
          Long.parseLong(parts[9]));
    }
  }
}
