package com.datanadhi.echopost.bench;

import com.datanadhi.testkit.Directories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Measures `POST /log` with a record of 400 bytes and fsync: on 64 connections, with the CPU time
/// of the serving process; one at a time; and at half of the highest rate.
///
/// Floors: the hub's HTTP server that answers at once; the same with all of intake before a log
/// whose appends complete at once; NATS JetStream that syncs before each acknowledgement; and a
/// write with fdatasync on a zero-filled file.
final class HubRequestRate implements Benchmark {
  static final String NATS = "NATS JetStream, sync always";

  /// It gets this fraction of the load, since it syncs each message by itself.
  private static final int NATS_SHARE = 8;

  /// A record of the log with its header, about.
  private static final int LOG_RECORD_BYTES = 600;

  private final HubBed bed;
  private final HubSize size;
  private final MeasuredValues values = new MeasuredValues();

  HubRequestRate(HubBed bed, HubSize size) {
    this.bed = bed;
    this.size = size;
  }

  @Override
  public String name() {
    return "one record a request";
  }

  @Override
  public void round() throws Exception {
    measureHub();
    for (String part : List.of("answer", "intake", "log")) {
      HubBed.Part running = bed.startPart(part);
      try (LoadLoop load = running.load(HubRequests.singles("none", HubSize.CONNECTIONS))) {
        double _ = measure(load, running.process().toHandle(), part, size.requests());
      }
      bed.stop(running);
    }
    if (Files.isExecutable(NatsServer.PROGRAM)) {
      NatsServer nats = bed.startNats();
      try (LoadLoop load =
          new LoadLoop(nats.port(), NatsServer.publishers(HubSize.CONNECTIONS, 1))) {
        double _ = measure(load, nats.handle(), "nats", size.requests() / NATS_SHARE);
      }
      bed.release(nats);
    }
    Path directory = bed.newDirectory();
    RawLogFloor.Result raw = RawLogFloor.run(directory, LOG_RECORD_BYTES, size.singles());
    values.add("hub_single_p50", "write + fdatasync", raw.latencyMillis(0.5));
    values.add("hub_single_p99", "write + fdatasync", raw.latencyMillis(0.99));
    Directories.delete(directory);
  }

  private void measureHub() throws Exception {
    RunningHub hub = bed.startHub(RunningHub.WITHOUT_BACKUPS);
    try (LoadLoop load = hub.load(HubRequests.singles(hub.apiKey(), HubSize.CONNECTIONS))) {
      double perSecond = measure(load, hub.process().handle(), "hub", size.requests());
      values.add("hub_requests_lag", MeasuredProgram.ECHOPOST, hub.metric("applier_lag_seconds"));
      hub.awaitApplied();
      LoadLoop.Result half = load.run(size.requests() / 2, perSecond / 2);
      values.add("hub_half_p99", MeasuredProgram.ECHOPOST, half.latencyMillis(0.99));
      hub.awaitApplied();
    }
    try (LoadLoop load = hub.load(HubRequests.singles(hub.apiKey(), 1))) {
      var _ = load.run(size.singles() / 5);
      hub.awaitApplied();
      LoadLoop.Result single = load.run(size.singles());
      values.add("hub_single_p50", MeasuredProgram.ECHOPOST, single.latencyMillis(0.5));
      values.add("hub_single_p99", MeasuredProgram.ECHOPOST, single.latencyMillis(0.99));
    }
    bed.stop(hub);
  }

  private double measure(LoadLoop load, ProcessHandle server, String subject, int requests)
      throws IOException {
    var _ = load.run(Math.min(requests, size.warmUp()));
    CpuTime cpuTime = CpuTime.of(server);
    LoadLoop.Result result = load.run(requests);
    double micros = cpuTime.microsPerRecord(requests);
    switch (subject) {
      case "hub" -> {
        add("hub_requests", MeasuredProgram.ECHOPOST, result, micros);
        values.add("hub_requests_p99", MeasuredProgram.ECHOPOST, result.latencyMillis(0.99));
      }
      // The same work without applying is a figure of its own, beside the same floors.
      case "log" -> add("hub_requests_paused", MeasuredProgram.ECHOPOST, result, micros);
      case "nats" -> {
        add("hub_requests", NATS, result, micros);
        values.add("hub_requests_p99", NATS, result.latencyMillis(0.99));
      }
      default -> {
        String floor =
            subject.equals("answer") ? "HTTP server that answers at once" : "log that is instant";
        add("hub_requests", floor, result, micros);
        add("hub_requests_paused", floor, result, micros);
        values.add("hub_requests_p99", floor, result.latencyMillis(0.99));
      }
    }
    return result.perSecond();
  }

  private void add(String figure, String subject, LoadLoop.Result result, double micros) {
    values.add(figure, subject, result.perSecond());
    values.add(figure + "_processor", subject, micros);
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("hub_requests", "POST /log, 64 connections", "records/s"),
        values.figure("hub_requests_processor", "POST /log, 64 connections: CPU time", "µs/record"),
        values.figure("hub_requests_p99", "POST /log, 64 connections: p99 latency", "ms"),
        values.figure("hub_requests_lag", "POST /log, 64 connections: lag at the end", "s"),
        values.figure("hub_requests_paused", "POST /log, applying paused", "records/s"),
        values.figure(
            "hub_requests_paused_processor", "POST /log, applying paused: CPU time", "µs/record"),
        values.figure("hub_half_p99", "POST /log, half of that rate: p99 latency", "ms"),
        values.figure("hub_single_p50", "POST /log, one at a time: median", "ms"),
        values.figure("hub_single_p99", "POST /log, one at a time: p99", "ms"));
  }
}
