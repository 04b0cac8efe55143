package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

  private final Workbench bench;
  private final Effort effort;
  private final Values agent = new Values();
  private final Values noOp = new Values();

  /// Resident and proportional set size, in MiB.
  private record Size(double rss, double pss) {
    static Size of(long pid) throws IOException {
      Path process = Path.of("/proc", Long.toString(pid));
      return new Size(
          mebibytes(process.resolve("status"), "VmRSS:"),
          mebibytes(process.resolve("smaps_rollup"), "Pss:"));
    }

    private static double mebibytes(Path file, String field) throws IOException {
      for (String line : Files.readAllLines(file)) {
        if (line.startsWith(field)) {
          return Long.parseLong(line.substring(field.length()).replace("kB", "").strip()) / 1024.0;
        }
      }
      throw new IOException(file + " says nothing of " + field);
    }

    Size max(Size other) {
      return new Size(Math.max(rss, other.rss), Math.max(pss, other.pss));
    }
  }

  private static final class Moment {
    final Series rss = new Series();
    final Series pss = new Series();

    void add(Size size) {
      rss.add(size.rss());
      pss.add(size.pss());
    }
  }

  private static final class Values {
    final Moment idle = new Moment();
    final Moment load = new Moment();
    final Moment after = new Moment();
  }

  /// The largest of the samples of a process, taken by a thread of its own.
  private static final class Peak implements AutoCloseable {
    private final ScheduledExecutorService sampler = Executors.newSingleThreadScheduledExecutor();
    private Size peak;

    Peak(long pid) throws IOException {
      peak = Size.of(pid);
      var _ =
          sampler.scheduleAtFixedRate(
              () -> {
                try {
                  sample(Size.of(pid));
                } catch (IOException gone) {
                  // The process has ended: the load fails, and says so.
                }
              },
              0,
              SAMPLE_MILLIS,
              TimeUnit.MILLISECONDS);
    }

    private synchronized void sample(Size size) {
      peak = peak.max(size);
    }

    synchronized Size peak() {
      return peak;
    }

    @Override
    public void close() {
      sampler.close();
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
    try (StubServer server = StubServer.down()) {
      AgentProcess process = bench.spawnAgent(bench.newDirectory(), server.url());
      process.awaitSocket();
      measure(process.agent().pid(), process.socket(), agent);
      bench.stop(process);
    }
    NoOpService.Running service = NoOpService.start(bench);
    measure(service.process().pid(), service.socket(), noOp);
    bench.stop(service.process());
  }

  private void measure(long pid, Path socket, Values values)
      throws IOException, InterruptedException {
    pause();
    values.idle.add(Size.of(pid));
    try (Peak peak = new Peak(pid);
        Sender sender = new Sender(socket)) {
      var _ = sender.pipelined(effort.warmRecords());
      values.load.add(peak.peak());
    }
    pause();
    values.after.add(Size.of(pid));
  }

  private static void pause() {
    long end = System.nanoTime() + PAUSE_NANOS;
    for (long left = PAUSE_NANOS; left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  @Override
  public List<Figure> figures() {
    List<Figure> figures = new ArrayList<>();
    add(figures, "idle", "idle", agent.idle, noOp.idle);
    add(figures, "load", "peak under load", agent.load, noOp.load);
    add(figures, "after", "after load", agent.after, noOp.after);
    return figures;
  }

  private static void add(
      List<Figure> figures, String name, String what, Moment agent, Moment noOp) {
    figures.add(
        new Figure(
            "rss_" + name,
            "RSS, " + what,
            "MiB",
            agent.rss,
            List.of(new Figure.Floor("no-op service", noOp.rss))));
    figures.add(
        new Figure(
            "pss_" + name,
            "PSS, " + what,
            "MiB",
            agent.pss,
            List.of(new Figure.Floor("no-op service", noOp.pss))));
  }
}
