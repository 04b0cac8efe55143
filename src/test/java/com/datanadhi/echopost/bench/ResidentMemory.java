package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.ProcessMemory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Measures resident memory: idle 3 s after the start, the peak under full load, and 3 s after the
/// load. RSS counts pages that other processes share, such as those of the JDK's files, in full;
/// PSS counts the process's share of them.
///
/// Floor: the no-op service under the same load.
final class ResidentMemory implements Benchmark {
  private static final long SETTLE_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final long SAMPLE_MILLIS = 50;
  static final double MEBIBYTE = 1 << 20;

  private final TestBed testBed;
  private final RunSize size;
  private final MeasuredValues values = new MeasuredValues();
  private final Chart chart =
      Chart.overTime(
          "memory",
          "Resident memory: idle, under load, after load",
          "seconds since the socket was ready",
          "RSS, MiB");

  /// Resident and proportional set size, in MiB.
  private record Size(double rss, double pss) {
    static Size of(long pid) throws IOException {
      ProcessMemory memory = new ProcessMemory(pid);
      return new Size(memory.resident() / MEBIBYTE, memory.proportional() / MEBIBYTE);
    }

    Size max(Size other) {
      return new Size(Math.max(rss, other.rss), Math.max(pss, other.pss));
    }
  }

  /// Samples the memory of a process on a background thread.
  private static final class Sampler implements AutoCloseable {
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
    private final List<Chart.Point> rss = new ArrayList<>();
    private Size peak = new Size(0, 0);

    Sampler(long pid, long originNanos) {
      var _ =
          thread.scheduleAtFixedRate(
              () -> {
                try {
                  sample(Size.of(pid), (System.nanoTime() - originNanos) / 1e9);
                } catch (IOException ended) {
                  // The process has ended, and the load fails.
                }
              },
              0,
              SAMPLE_MILLIS,
              TimeUnit.MILLISECONDS);
    }

    private synchronized void sample(Size sample, double seconds) {
      rss.add(new Chart.Point(seconds, sample.rss()));
      peak = peak.max(sample);
    }

    synchronized Size peak() {
      return peak;
    }

    /// Seconds since the origin, and MiB.
    synchronized List<Chart.Point> rss() {
      return List.copyOf(rss);
    }

    @Override
    public void close() {
      thread.close();
    }
  }

  ResidentMemory(TestBed testBed, RunSize size) {
    this.testBed = testBed;
    this.size = size;
  }

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public void round() throws Exception {
    testBed.onEach(this::measure);
  }

  private void measure(RunningService service) throws IOException, InterruptedException {
    long pid = service.process().get().pid();
    try (Sampler sampler = new Sampler(pid, service.readyNanos());
        GrpcJavaSender sender = new GrpcJavaSender(service.socket())) {
      letSettle();
      add("idle", service.name(), Size.of(pid));
      if (service.name().equals(MeasuredProgram.ECHOPOST)) {
        addKinds(MemoryMap.of(pid));
      }
      var _ = sender.pipelined(size.warmRecords());
      add("load", service.name(), sampler.peak());
      letSettle();
      add("after", service.name(), Size.of(pid));
      chart.setCurve(service.name(), sampler.rss());
    }
  }

  private void add(String moment, String subject, Size memory) {
    values.add("rss_" + moment, subject, memory.rss());
    values.add("pss_" + moment, subject, memory.pss());
  }

  private void addKinds(MemoryMap map) {
    for (MemoryMap.Kind kind : MemoryMap.Kind.values()) {
      values.add(rss(kind), MeasuredProgram.ECHOPOST, map.resident().getOrDefault(kind, 0.0));
      values.add(unshared(kind), MeasuredProgram.ECHOPOST, map.unshared().getOrDefault(kind, 0.0));
    }
  }

  private static String rss(MemoryMap.Kind kind) {
    return "rss_idle_" + kind.name().toLowerCase(Locale.ROOT);
  }

  private static String unshared(MemoryMap.Kind kind) {
    return "unshared_idle_" + kind.name().toLowerCase(Locale.ROOT);
  }

  private static void letSettle() {
    long end = System.nanoTime() + SETTLE_NANOS;
    for (long left = SETTLE_NANOS; left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  @Override
  public List<Figure> figures() {
    List<Figure> figures =
        new ArrayList<>(
            List.of(
                values.figure("rss_idle", "RSS, idle", "MiB"),
                values.figure("pss_idle", "PSS, idle", "MiB"),
                values.figure("rss_load", "RSS, peak under load", "MiB"),
                values.figure("pss_load", "PSS, peak under load", "MiB"),
                values.figure("rss_after", "RSS, after load", "MiB"),
                values.figure("pss_after", "PSS, after load", "MiB")));
    for (MemoryMap.Kind kind : MemoryMap.Kind.values()) {
      figures.add(values.figure(rss(kind), "RSS, idle: " + kind.label, "MiB"));
      figures.add(
          values.figure(unshared(kind), "RSS, idle: " + kind.label + ", not shared", "MiB"));
    }
    return figures;
  }

  @Override
  public List<Chart> charts() {
    return List.of(chart);
  }
}
