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

/// Resident memory: idle 3 s after the start, its peak under a full load, and 3 s after the load.
/// RSS counts the pages of the JDK's files that are shared with other processes in full, PSS by its
/// share.
///
/// Floor: the no-op service under the same load.
final class ResidentMemory implements Measurement {
  private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final long SAMPLE_MILLIS = 50;
  static final double MEBIBYTE = 1 << 20;

  private final Workbench bench;
  private final Effort effort;
  private final Values values = new Values();
  private final Picture picture =
      Picture.overTime(
          "memory",
          "Resident memory: idle, under load, afterwards",
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

  /// Samples of a process, taken by a thread of its own.
  private static final class Sampler implements AutoCloseable {
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
    private final List<Picture.Point> rss = new ArrayList<>();
    private Size peak = new Size(0, 0);

    Sampler(long pid, long originNanos) {
      var _ =
          thread.scheduleAtFixedRate(
              () -> {
                try {
                  sample(Size.of(pid), (System.nanoTime() - originNanos) / 1e9);
                } catch (IOException gone) {
                  // The process has ended: the load fails, and says so.
                }
              },
              0,
              SAMPLE_MILLIS,
              TimeUnit.MILLISECONDS);
    }

    private synchronized void sample(Size size, double seconds) {
      rss.add(new Picture.Point(seconds, size.rss()));
      peak = peak.max(size);
    }

    synchronized Size peak() {
      return peak;
    }

    /// Seconds since the origin, and MiB.
    synchronized List<Picture.Point> rss() {
      return List.copyOf(rss);
    }

    @Override
    public void close() {
      thread.close();
    }
  }

  ResidentMemory(Workbench bench, Effort effort) {
    this.bench = bench;
    this.effort = effort;
  }

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public void round() throws Exception {
    bench.onEach(this::measure);
  }

  private void measure(Service service) throws IOException, InterruptedException {
    long pid = service.process().get().pid();
    try (Sampler sampler = new Sampler(pid, service.readyNanos());
        Sender sender = new Sender(service.socket())) {
      pause();
      add("idle", service.name(), Size.of(pid));
      if (service.name().equals(Program.ECHOPOST)) {
        addKinds(MemoryMap.of(pid));
      }
      var _ = sender.pipelined(effort.warmRecords());
      add("load", service.name(), sampler.peak());
      pause();
      add("after", service.name(), Size.of(pid));
      picture.curve(service.name(), sampler.rss());
    }
  }

  private void add(String moment, String whose, Size size) {
    values.add("rss_" + moment, whose, size.rss());
    values.add("pss_" + moment, whose, size.pss());
  }

  private void addKinds(MemoryMap map) {
    for (MemoryMap.Kind kind : MemoryMap.Kind.values()) {
      values.add(rss(kind), Program.ECHOPOST, map.resident().getOrDefault(kind, 0.0));
      values.add(unshared(kind), Program.ECHOPOST, map.unshared().getOrDefault(kind, 0.0));
    }
  }

  private static String rss(MemoryMap.Kind kind) {
    return "rss_idle_" + kind.name().toLowerCase(Locale.ROOT);
  }

  private static String unshared(MemoryMap.Kind kind) {
    return "unshared_idle_" + kind.name().toLowerCase(Locale.ROOT);
  }

  private static void pause() {
    long end = System.nanoTime() + PAUSE_NANOS;
    for (long left = PAUSE_NANOS; left > 0; left = end - System.nanoTime()) {
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
      figures.add(values.figure(rss(kind), "RSS, idle: " + kind.what, "MiB"));
      figures.add(values.figure(unshared(kind), "of it shared with nobody", "MiB"));
    }
    return figures;
  }

  @Override
  public List<Picture> pictures() {
    return List.of(picture);
  }
}
