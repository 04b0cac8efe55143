package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.AgentProcess;
import com.datanadhi.echopost.testkit.StubServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// Records a second that are acknowledged while the server is down, in the first records after the
/// spawn and warm; and the processor time that one takes the serving process, which says more than
/// the rate does where the clients compete for the same cores.
///
/// Floors: the no-op service, and SQLite alone.
final class IngestThroughput implements Measurement {
  private final Workbench bench;
  private final Effort effort;
  private final Values agent = new Values();
  private final Values noOp = new Values();
  private final Series sqlite = new Series();

  private static final class Values {
    final Series first = new Series();
    final Series warm = new Series();
    final Series processor = new Series();
  }

  IngestThroughput(Workbench bench, Effort effort) {
    this.bench = bench;
    this.effort = effort;
  }

  @Override
  public String name() {
    return "ingest";
  }

  @Override
  public void round() throws Exception {
    try (StubServer server = StubServer.down()) {
      AgentProcess process = bench.spawnAgent(bench.newDirectory(), server.url());
      process.awaitSocket();
      measure(process.socket(), process.agent(), agent);
      bench.stop(process);
    }
    NoOpService.Running service = NoOpService.start(bench);
    measure(service.socket(), service.process().toHandle(), noOp);
    bench.stop(service.process());
    Path directory = bench.newDirectory();
    sqlite.add(
        Double.parseDouble(
            bench.runFloor(
                SqliteInserts.class,
                directory.toString(),
                Integer.toString(effort.warmUpRecords()),
                Integer.toString(effort.warmRecords()))));
    bench.delete(directory);
  }

  private void measure(Path socket, ProcessHandle process, Values values)
      throws InterruptedException {
    try (Sender sender = new Sender(socket)) {
      values.first.add(sender.pipelined(Effort.FIRST_RECORDS).perSecond());
      var _ = sender.pipelined(effort.warmUpRecords());
      Duration before = process.info().totalCpuDuration().orElse(Duration.ZERO);
      values.warm.add(sender.pipelined(effort.warmRecords()).perSecond());
      Duration used = process.info().totalCpuDuration().orElse(Duration.ZERO).minus(before);
      values.processor.add(used.toNanos() / 1e3 / effort.warmRecords());
    }
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        new Figure(
            "ingest_first",
            "ingest, first 50,000 after spawn",
            "records/s",
            agent.first,
            List.of(new Figure.Floor("no-op service", noOp.first))),
        new Figure(
            "ingest_warm",
            "ingest, warm",
            "records/s",
            agent.warm,
            List.of(
                new Figure.Floor("no-op service", noOp.warm),
                new Figure.Floor("SQLite, 256 inserts a transaction", sqlite))),
        new Figure(
            "ingest_processor",
            "ingest, warm: processor time",
            "µs/record",
            agent.processor,
            List.of(new Figure.Floor("no-op service", noOp.processor))));
  }
}
