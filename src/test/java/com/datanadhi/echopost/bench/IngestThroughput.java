package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.LoadClient;
import com.datanadhi.testkit.Directories;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;

/// Measures acknowledged records per second while the server is down, for the first records after
/// the spawn and when warm; the high percentiles of their latency; and the CPU time per record of
/// the serving process, which is less affected than the rate when clients compete for the same
/// cores.
///
/// The clients use grpc-java; the rates are measured again with clients that send pre-encoded
/// frames.
///
/// Floors: the no-op service, the no-op service on grpc-java's server, and SQLite alone.
final class IngestThroughput implements Benchmark {
  private final TestBed testBed;
  private final RunSize size;
  private final MeasuredValues values = new MeasuredValues();
  private final Chart rates =
      Chart.overTime(
          "ingest-rate", "Ingest rate after spawn", "seconds since the spawn", "records/s");
  private final Chart latencies =
      Chart.ofLatencies(
          "latency-load", "Latency under load: 4 connections, 64 calls in flight on each");

  IngestThroughput(TestBed testBed, RunSize size) {
    this.testBed = testBed;
    this.size = size;
  }

  @Override
  public String name() {
    return "ingest";
  }

  @Override
  public void round() throws Exception {
    testBed.onEach(
        service -> {
          measure(service);
          measurePreEncoded(service);
        },
        this::measureFirstPreEncoded);
    testBed.onNoOp(NoOpService.ServerStack.GRPC_JAVA, this::measure);
    Path directory = testBed.newDirectory();
    values.add(
        "ingest_warm",
        "SQLite, 256 inserts a transaction",
        Double.parseDouble(
            testBed.runFloor(
                SqliteInsertFloor.class,
                directory.toString(),
                Integer.toString(size.warmUpRecords()),
                Integer.toString(size.warmRecords()))));
    Directories.delete(directory);
  }

  private void measure(RunningService service) throws InterruptedException, ExecutionException {
    ThroughputCurve rate = new ThroughputCurve(service.spawnedNanos());
    try (GrpcJavaSender sender = new GrpcJavaSender(service.socket(), rate::count)) {
      values.add(
          "ingest_first", service.name(), sender.pipelined(RunSize.FIRST_RECORDS).perSecond());
      var _ = sender.pipelined(size.warmUpRecords());
      CpuTime cpuTime = CpuTime.of(service.process().get());
      LoadClient.Result warm = sender.pipelined(size.warmRecords());
      double micros = cpuTime.microsPerRecord(size.warmRecords());
      values.add("ingest_warm", service.name(), warm.perSecond());
      values.add("load_p99", service.name(), warm.latencyMillis(0.99));
      values.add("load_p999", service.name(), warm.latencyMillis(0.999));
      values.add("ingest_processor", service.name(), micros);
      latencies.setLatencies(service.name(), warm::latencyMillis);
    }
    rates.setCurve(service.name(), rate.points());
  }

  private void measurePreEncoded(RunningService service)
      throws InterruptedException, ExecutionException {
    PreEncodedSender sender = new PreEncodedSender(service.socket());
    double _ = sender.pipelined(size.warmUpRecords());
    values.add("ingest_frames", service.name(), sender.pipelined(size.warmRecords()));
  }

  private void measureFirstPreEncoded(RunningService service)
      throws InterruptedException, ExecutionException {
    values.add(
        "ingest_first_frames",
        service.name(),
        new PreEncodedSender(service.socket()).pipelined(RunSize.FIRST_RECORDS));
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("ingest_first", "ingest, first 50,000 records after spawn", "records/s"),
        values.figure(
            "ingest_first_frames",
            "ingest, first 50,000 records after spawn, clients with pre-encoded frames",
            "records/s"),
        values.figure("ingest_warm", "ingest, warm", "records/s"),
        values.figure(
            "ingest_frames", "ingest, warm, clients with pre-encoded frames", "records/s"),
        values.figure("load_p99", "ingest, warm: p99 latency", "ms"),
        values.figure("load_p999", "ingest, warm: p99.9 latency", "ms"),
        values.figure("ingest_processor", "ingest, warm: CPU time", "µs/record"));
  }

  @Override
  public List<Chart> charts() {
    return List.of(rates, latencies);
  }
}
