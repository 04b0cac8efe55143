package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.testkit.StubServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Measures deliveries per second of a backlog to a server on loopback, from the first to the last
/// as seen by the server. The agent must also drain and exit; then the size of its buffer is
/// measured.
///
/// Floors: plain loops that send the same requests to the same server, one at a time; and for the
/// buffer its size with the backlog.
final class ReplayThroughput implements Benchmark {
  private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(30);

  private final TestBed testBed;
  private final RunSize size;
  private final MeasuredValues values = new MeasuredValues();
  private final Chart chart =
      Chart.overTime(
          "replay", "Replay of a backlog", "seconds since the first delivery", "records delivered");
  private boolean serverIsWarm;

  ReplayThroughput(TestBed testBed, RunSize size) {
    this.testBed = testBed;
    this.size = size;
  }

  @Override
  public String name() {
    return "replay";
  }

  @Override
  public void round() throws Exception {
    if (!serverIsWarm) {
      // The server runs in this process: let the JIT compile it before the first measurement.
      Deliveries _ = floor(ReplayFloor.SOCKET);
      serverIsWarm = true;
    }
    for (MeasuredProgram program : testBed.programs()) {
      measure(program);
    }
    add("java.net.http, one at a time", floor(ReplayFloor.HTTP_CLIENT));
    add("keep-alive socket, one at a time", floor(ReplayFloor.SOCKET));
  }

  private void add(String subject, Deliveries deliveries) {
    values.add("replay", subject, deliveries.perSecond());
    chart.setCurve(subject, deliveries.curve());
  }

  private void measure(MeasuredProgram program)
      throws IOException, InterruptedException, TimeoutException {
    try (StubServer server = StubServer.down()) {
      Deliveries deliveries = new Deliveries(server, program.isEchoPost());
      AgentProcess process = testBed.spawn(program, server.url(), Map.of());
      process.awaitSocket();
      try (GrpcJavaSender sender = new GrpcJavaSender(process.socket())) {
        var _ = sender.pipelined(size.replayRecords());
      }
      double withBacklog = bufferMebibytes(process);
      CpuTime cpuTime = CpuTime.of(process.agent());
      server.comeUp();
      deliveries.await(size.replayRecords(), process::output);
      double cpuMicros = cpuTime.microsPerRecord(size.replayRecords());
      if (program.isEchoPost()) {
        int exit = process.awaitExit(EXIT_TIMEOUT);
        if (exit != 0) {
          throw new IllegalStateException(
              "the agent exited with " + exit + ":\n" + process.output());
        }
        deliveries.check(size.replayRecords());
        values.add("buffer_drained", "with the backlog", withBacklog);
        values.add("buffer_drained", program.name(), bufferMebibytes(process));
      }
      add(program.name(), deliveries);
      values.add("replay_processor", program.name(), cpuMicros);
      testBed.discard(process);
    }
  }

  /// The size of the database and its WAL.
  private static double bufferMebibytes(AgentProcess process) throws IOException {
    long bytes = 0;
    for (String name : List.of("buffer.db", "buffer.db-wal")) {
      Path file = process.directory().resolve(name);
      bytes += Files.exists(file) ? Files.size(file) : 0;
    }
    return bytes / (double) (1 << 20);
  }

  private Deliveries floor(String kind) throws IOException, InterruptedException {
    try (StubServer server = StubServer.up()) {
      Deliveries deliveries = new Deliveries(server, true);
      String _ =
          testBed.runFloor(
              ReplayFloor.class,
              kind,
              Integer.toString(server.port()),
              Integer.toString(size.replayRecords()));
      deliveries.check(size.replayRecords());
      return deliveries;
    }
  }

  /// Records the times of deliveries to a server, and checks their order.
  private static final class Deliveries {
    private static final long TIMEOUT_NANOS = TimeUnit.MINUTES.toNanos(2);
    private static final int RECORDS_PER_POINT = 100;

    private final List<Chart.Point> curve = new ArrayList<>();
    private final boolean checksOrder;
    private long count;
    private long firstNanos;
    private long lastNanos;
    private long lastId;
    private long outOfOrder;

    /// @param checksOrder whether to check the ids in the keys, whose format only EchoPost has
    Deliveries(StubServer server, boolean checksOrder) {
      this.checksOrder = checksOrder;
      server.keep(false);
      server.onDelivery((request, out) -> {
        delivered(request.key());
        return StubServer.OK.respond(request, out);
      });
    }

    /// The last part of a key is the id; ids have no gaps.
    private synchronized void delivered(String key) {
      lastNanos = System.nanoTime();
      firstNanos = count == 0 ? lastNanos : firstNanos;
      if (count++ % RECORDS_PER_POINT == 0) {
        curve.add(new Chart.Point((lastNanos - firstNanos) / 1e9, count));
      }
      if (checksOrder) {
        long id = Long.parseLong(key, key.lastIndexOf('-') + 1, key.length(), 10);
        outOfOrder += id == lastId + 1 ? 0 : 1;
        lastId = id;
      }
      notifyAll();
    }

    synchronized void await(long records, java.util.function.Supplier<String> output)
        throws InterruptedException {
      long deadline = System.nanoTime() + TIMEOUT_NANOS;
      while (count < records) {
        if (System.nanoTime() - deadline > 0) {
          throw new IllegalStateException(
              "only " + count + " of " + records + " were delivered:\n" + output.get());
        }
        wait(1_000);
      }
    }

    synchronized void check(long records) {
      if (count != records || outOfOrder != 0) {
        throw new IllegalStateException(
            count + " deliveries of " + records + " records, " + outOfOrder + " out of order");
      }
    }

    /// Seconds since the first delivery, and the number of deliveries.
    synchronized List<Chart.Point> curve() {
      return List.copyOf(curve);
    }

    synchronized double perSecond() {
      return (count - 1) / ((lastNanos - firstNanos) / 1e9);
    }
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("replay", "replay of a backlog", "records/s"),
        values.figure("replay_processor", "replay of a backlog: CPU time", "µs/record"),
        values.figure("buffer_drained", "buffer.db and its WAL after replay", "MiB"));
  }

  @Override
  public List<Chart> charts() {
    return List.of(chart);
  }
}
