package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.Directories;
import com.datanadhi.echopost.testkit.LoadClient;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;

/// Records a second that are acknowledged while the server is down, in the first records after the
/// spawn and warm; how long the slowest of them wait under that load; and the processor time that
/// one takes the serving process, which says more than the rate does where the clients compete for
/// the same cores.
///
/// The clients are on grpc-java; at the end it is told how it goes with clients that say frames put
/// together before.
///
/// Floors: the no-op service, the same on grpc-java's server, and SQLite alone.
final class IngestThroughput implements Measurement {
  private final Workbench bench;
  private final Effort effort;
  private final Values values = new Values();
  private final Picture rates =
      Picture.overTime(
          "ingest-rate", "Ingest from the spawn on", "seconds since the spawn", "records/s");
  private final Picture latencies =
      Picture.ofLatencies("latency-load", "Latency under load: 4 connections, 64 calls on each");

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
    bench.onEach(
        service -> {
          measure(service);
          measureFrames(service);
        },
        this::measureFirstFrames);
    bench.onNoOp(NoOpService.Stack.GRPC_JAVA, this::measure);
    Path directory = bench.newDirectory();
    values.add(
        "ingest_warm",
        "SQLite, 256 inserts a transaction",
        Double.parseDouble(
            bench.runFloor(
                SqliteInserts.class,
                directory.toString(),
                Integer.toString(effort.warmUpRecords()),
                Integer.toString(effort.warmRecords()))));
    Directories.delete(directory);
  }

  private void measure(Service service) throws InterruptedException, ExecutionException {
    RateOverTime rate = new RateOverTime(service.spawnedNanos());
    try (Sender sender = new Sender(service.socket(), rate::count)) {
      values.add(
          "ingest_first", service.name(), sender.pipelined(Effort.FIRST_RECORDS).perSecond());
      var _ = sender.pipelined(effort.warmUpRecords());
      ProcessorTime processors = ProcessorTime.of(service.process().get());
      LoadClient.Result warm = sender.pipelined(effort.warmRecords());
      double micros = processors.microsEach(effort.warmRecords());
      values.add("ingest_warm", service.name(), warm.perSecond());
      values.add("load_p99", service.name(), warm.latencyMillis(0.99));
      values.add("load_p999", service.name(), warm.latencyMillis(0.999));
      values.add("ingest_processor", service.name(), micros);
      latencies.latencies(service.name(), warm::latencyMillis);
    }
    rates.curve(service.name(), rate.points());
  }

  private void measureFrames(Service service) throws InterruptedException, ExecutionException {
    FrameSender frames = new FrameSender(service.socket());
    double _ = frames.pipelined(effort.warmUpRecords());
    values.add("ingest_frames", service.name(), frames.pipelined(effort.warmRecords()));
  }

  private void measureFirstFrames(Service service) throws InterruptedException, ExecutionException {
    values.add(
        "ingest_first_frames",
        service.name(),
        new FrameSender(service.socket()).pipelined(Effort.FIRST_RECORDS));
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("ingest_first", "ingest, first 50,000 after spawn", "records/s"),
        values.figure(
            "ingest_first_frames", "ingest, first 50,000, clients that say frames", "records/s"),
        values.figure("ingest_warm", "ingest, warm", "records/s"),
        values.figure("ingest_frames", "ingest, warm, clients that say frames", "records/s"),
        values.figure("load_p99", "ingest, warm: p99 latency", "ms"),
        values.figure("load_p999", "ingest, warm: p99.9 latency", "ms"),
        values.figure("ingest_processor", "ingest, warm: processor time", "µs/record"));
  }

  @Override
  public List<Picture> pictures() {
    return List.of(rates, latencies);
  }
}
