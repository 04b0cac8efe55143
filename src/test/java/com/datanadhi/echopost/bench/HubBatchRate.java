package com.datanadhi.echopost.bench;

import com.datanadhi.testkit.Directories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Measures `POST /log` with 100 and 1,000 lines, keys of sources and fsync, in a burst that is
/// smaller than what the hub takes before it is applied; and how fast it applies what such a burst
/// has left.
///
/// Floors: a write of the same batch with one fdatasync; NATS JetStream that syncs, with 1,000
/// messages outstanding on each connection; and inserts of the same rows into the same tables.
final class HubBatchRate implements Benchmark {
  private static final int CONNECTIONS_OF_100 = 8;
  private static final int CONNECTIONS_OF_1000 = 4;

  /// It gets this fraction of the load, since it syncs each message by itself.
  private static final int NATS_SHARE = 8;

  /// Of a record in the log with its envelope and header, about.
  private static final int LOG_RECORD_BYTES = 600;

  private final HubBed bed;
  private final HubSize size;
  private final MeasuredValues values = new MeasuredValues();

  HubBatchRate(HubBed bed, HubSize size) {
    this.bed = bed;
    this.size = size;
  }

  @Override
  public String name() {
    return "lines";
  }

  @Override
  public void round() throws Exception {
    measure(100, CONNECTIONS_OF_100);
    measure(1_000, CONNECTIONS_OF_1000);
    if (Files.isExecutable(NatsServer.PROGRAM)) {
      NatsServer nats = bed.startNats();
      try (LoadLoop load =
          new LoadLoop(nats.port(), NatsServer.publishers(CONNECTIONS_OF_1000, 1_000))) {
        int records = size.burst() / NATS_SHARE / 1_000 * 1_000;
        var _ = load.run(CONNECTIONS_OF_1000);
        CpuTime cpuTime = CpuTime.of(nats.handle());
        LoadLoop.Result result = load.run(records / 1_000);
        values.add("hub_lines_1000", HubRequestRate.NATS, result.perSecond() * 1_000);
        values.add(
            "hub_lines_1000_processor", HubRequestRate.NATS, cpuTime.microsPerRecord(records));
      }
      bed.release(nats);
    }
    Path directory = bed.newDirectory();
    double[] inserts =
        bed.runFloor(
            RowInsertFloor.class,
            directory.toString(),
            Integer.toString(size.warmUp()),
            Integer.toString(size.burst()));
    values.add("hub_apply", "inserts of the same rows", inserts[0]);
    values.add("hub_apply_processor", "inserts of the same rows", inserts[1]);
    Directories.delete(directory);
  }

  private void measure(int lines, int connections) throws Exception {
    String figure = "hub_lines_" + lines;
    RunningHub hub = bed.startHub(RunningHub.WITHOUT_BACKUPS);
    try (LoadLoop load = hub.load(HubRequests.lines(hub.apiKey(), lines, connections))) {
      var _ = load.run(size.warmUp() / lines);
      hub.awaitApplied();
      CpuTime cpuTime = CpuTime.of(hub.process().handle());
      LoadLoop.Result result = load.run(size.burst() / lines);
      if (result.refusals() > 0) {
        throw new IllegalStateException("the hub has refused a part of the burst");
      }
      values.add(figure, MeasuredProgram.ECHOPOST, result.perSecond() * lines);
      if (lines == 1_000) {
        measureApplying(hub);
      } else {
        hub.awaitApplied();
      }
      // The time of applying is in it too, as it is for whoever pays for the machine.
      values.add(
          figure + "_processor", MeasuredProgram.ECHOPOST, cpuTime.microsPerRecord(size.burst()));
    }
    bed.stop(hub);
    Path directory = bed.newDirectory();
    RawLogFloor.Result raw =
        RawLogFloor.run(directory, lines * LOG_RECORD_BYTES, size.burst() / lines);
    values.add(figure, "write + fdatasync", raw.writesPerSecond() * lines);
    Directories.delete(directory);
  }

  private void measureApplying(RunningHub hub) throws IOException {
    CpuTime cpuTime = CpuTime.of(hub.process().handle());
    long start = System.nanoTime();
    double rows = hub.metric("hub_apply_lag_records");
    hub.awaitApplied();
    double seconds = (System.nanoTime() - start) / 1e9;
    values.add("hub_apply", MeasuredProgram.ECHOPOST, rows / seconds);
    values.add(
        "hub_apply_processor", MeasuredProgram.ECHOPOST, cpuTime.microsPerRecord((long) rows));
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("hub_lines_100", "NDJSON, 100 lines, burst", "records/s"),
        values.figure(
            "hub_lines_100_processor", "NDJSON, 100 lines, and applying: CPU time", "µs/record"),
        values.figure("hub_lines_1000", "NDJSON, 1,000 lines, burst", "records/s"),
        values.figure(
            "hub_lines_1000_processor", "NDJSON, 1,000 lines, and applying: CPU time", "µs/record"),
        values.figure("hub_apply", "applying, which is what lasts", "rows/s"),
        values.figure("hub_apply_processor", "applying: CPU time", "µs/row"));
  }
}
