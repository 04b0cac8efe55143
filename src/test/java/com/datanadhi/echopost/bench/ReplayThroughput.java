package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Records a second delivered to a server on loopback from a backlog, as the server sees it: from
/// the first delivery to the last. The agent must also drain and end by itself.
///
/// Floors: plain loops that send the same requests to the same server, one at a time.
final class ReplayThroughput implements Measurement {
  private static final Duration EXIT_PATIENCE = Duration.ofSeconds(30);

  private final Workbench bench;
  private final Effort effort;
  private final Series agent = new Series();
  private final Series processor = new Series();
  private final Series http = new Series();
  private final Series socket = new Series();
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
      double _ = floor(PlainSender.SOCKET);
      serverIsWarm = true;
    }
    measureAgent();
    http.add(floor(PlainSender.HTTP_CLIENT));
    socket.add(floor(PlainSender.SOCKET));
  }

  private void measureAgent() throws IOException, InterruptedException, TimeoutException {
    try (StubServer server = StubServer.down()) {
      Deliveries deliveries = new Deliveries(server);
      AgentProcess process = bench.spawnAgent(bench.newDirectory(), server.url());
      process.awaitSocket();
      try (Sender sender = new Sender(process.socket())) {
        var _ = sender.pipelined(effort.replayRecords());
      }
      Duration before = process.agent().info().totalCpuDuration().orElse(Duration.ZERO);
      server.comeUp();
      deliveries.await(effort.replayRecords(), process::output);
      Duration used = process.agent().info().totalCpuDuration().orElse(Duration.ZERO).minus(before);
      int exit = process.awaitExit(EXIT_PATIENCE);
      if (exit != 0) {
        throw new IllegalStateException("the agent ended with " + exit + ":\n" + process.output());
      }
      deliveries.check(effort.replayRecords());
      agent.add(deliveries.perSecond());
      processor.add(used.toNanos() / 1e3 / effort.replayRecords());
      bench.forget(process);
    }
  }

  private double floor(String kind) throws IOException, InterruptedException {
    try (StubServer server = StubServer.up()) {
      Deliveries deliveries = new Deliveries(server);
      String _ =
          bench.runFloor(
              PlainSender.class,
              kind,
              Integer.toString(server.port()),
              Integer.toString(effort.replayRecords()));
      deliveries.check(effort.replayRecords());
      return deliveries.perSecond();
    }
  }

  /// Times what comes to a server, and sees to its order.
  private static final class Deliveries {
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);

    private long count;
    private long firstNanos;
    private long lastNanos;
    private long lastId;
    private long outOfOrder;

    Deliveries(StubServer server) {
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
      count++;
      long id = Long.parseLong(key, key.lastIndexOf('-') + 1, key.length(), 10);
      outOfOrder += id == lastId + 1 ? 0 : 1;
      lastId = id;
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

    synchronized double perSecond() {
      return (count - 1) / ((lastNanos - firstNanos) / 1e9);
    }
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        new Figure(
            "replay",
            "replay of a backlog",
            "records/s",
            agent,
            List.of(
                new Figure.Floor("java.net.http, one at a time", http),
                new Figure.Floor("keep-alive socket, one at a time", socket))),
        new Figure(
            "replay_processor",
            "replay of a backlog: processor time",
            "µs/record",
            processor,
            List.of()));
  }
}
