package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Records a second delivered to a server on loopback from a backlog, as the server sees it: from
/// the first delivery to the last. The agent must also drain and end by itself, and what its buffer
/// takes on the disk is told after that.
///
/// Floors: plain loops that send the same requests to the same server, one at a time; for the
/// buffer, what it took with the backlog in it.
final class ReplayThroughput implements Measurement {
  private static final Duration EXIT_PATIENCE = Duration.ofSeconds(30);

  private final Workbench bench;
  private final Effort effort;
  private final Values values = new Values();
  private final Picture picture =
      Picture.overTime(
          "replay", "Replay of a backlog", "seconds since the first delivery", "records delivered");
  private boolean serverIsWarm;

  ReplayThroughput(Workbench bench, Effort effort) {
    this.bench = bench;
    this.effort = effort;
  }

  @Override
  public String name() {
    return "replay";
  }

  @Override
  public void round() throws Exception {
    if (!serverIsWarm) {
      // The server is in this process: who comes first must not wait for its compiler.
      Deliveries _ = floor(PlainSender.SOCKET);
      serverIsWarm = true;
    }
    for (Program program : bench.programs()) {
      measure(program);
    }
    add("java.net.http, one at a time", floor(PlainSender.HTTP_CLIENT));
    add("keep-alive socket, one at a time", floor(PlainSender.SOCKET));
  }

  private void add(String whose, Deliveries deliveries) {
    values.add("replay", whose, deliveries.perSecond());
    picture.curve(whose, deliveries.curve());
  }

  private void measure(Program program) throws IOException, InterruptedException, TimeoutException {
    try (StubServer server = StubServer.down()) {
      Deliveries deliveries = new Deliveries(server, program.isOurs());
      AgentProcess process = bench.spawn(program, server.url(), Map.of());
      process.awaitSocket();
      try (Sender sender = new Sender(process.socket())) {
        var _ = sender.pipelined(effort.replayRecords());
      }
      double full = bufferMebibytes(process);
      ProcessorTime processors = ProcessorTime.of(process.agent());
      server.comeUp();
      deliveries.await(effort.replayRecords(), process::output);
      double micros = processors.microsEach(effort.replayRecords());
      if (program.isOurs()) {
        int exit = process.awaitExit(EXIT_PATIENCE);
        if (exit != 0) {
          throw new IllegalStateException(
              "the agent ended with " + exit + ":\n" + process.output());
        }
        deliveries.check(effort.replayRecords());
        values.add("buffer_drained", "with the backlog", full);
        values.add("buffer_drained", program.name(), bufferMebibytes(process));
      }
      add(program.name(), deliveries);
      values.add("replay_processor", program.name(), micros);
      bench.forget(process);
    }
  }

  /// What the database and its log take on the disk.
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
          bench.runFloor(
              PlainSender.class,
              kind,
              Integer.toString(server.port()),
              Integer.toString(effort.replayRecords()));
      deliveries.check(effort.replayRecords());
      return deliveries;
    }
  }

  /// Times what comes to a server, and sees to its order.
  private static final class Deliveries {
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);
    private static final int RECORDS_A_POINT = 100;

    private final List<Picture.Point> curve = new ArrayList<>();
    private final boolean numbered;
    private long count;
    private long firstNanos;
    private long lastNanos;
    private long lastId;
    private long outOfOrder;

    /// @param numbered whether the keys tell the order, as EchoPost's do: a peer may have its own
    Deliveries(StubServer server, boolean numbered) {
      this.numbered = numbered;
      server.keep(false);
      server.onDelivery((request, out) -> {
        arrived(request.key());
        return StubServer.OK.answer(request, out);
      });
    }

    /// Ids are the last part of the keys, and have no gaps.
    private synchronized void arrived(String key) {
      lastNanos = System.nanoTime();
      firstNanos = count == 0 ? lastNanos : firstNanos;
      if (count++ % RECORDS_A_POINT == 0) {
        curve.add(new Picture.Point((lastNanos - firstNanos) / 1e9, count));
      }
      if (numbered) {
        long id = Long.parseLong(key, key.lastIndexOf('-') + 1, key.length(), 10);
        outOfOrder += id == lastId + 1 ? 0 : 1;
        lastId = id;
      }
      notifyAll();
    }

    synchronized void await(long records, java.util.function.Supplier<String> output)
        throws InterruptedException {
      long deadline = System.nanoTime() + PATIENCE_NANOS;
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

    /// Seconds since the first delivery, and how many there were by then.
    synchronized List<Picture.Point> curve() {
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
        values.figure("replay_processor", "replay of a backlog: processor time", "µs/record"),
        values.figure("buffer_drained", "buffer.db after that", "MiB"));
  }

  @Override
  public List<Picture> pictures() {
    return List.of(picture);
  }
}
