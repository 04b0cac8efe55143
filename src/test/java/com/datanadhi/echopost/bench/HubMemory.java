package com.datanadhi.echopost.bench;

import com.datanadhi.echopost.testkit.ProcessMemory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Measures the hub's resident memory: 3 s after the start, the peak under full load of both kinds,
/// and the peak while many tenants send.
///
/// Floor: the hub's HTTP server alone, idle and under the same load.
final class HubMemory implements Benchmark {
  private static final long SETTLE_NANOS = TimeUnit.SECONDS.toNanos(3);
  private static final int LINES = 1_000;
  private static final double MEBIBYTE = 1 << 20;
  private static final String FLOOR = "HTTP server that answers at once";

  private final HubBed bed;
  private final HubSize size;
  private final MeasuredValues values = new MeasuredValues();

  HubMemory(HubBed bed, HubSize size) {
    this.bed = bed;
    this.size = size;
  }

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public void round() throws Exception {
    RunningHub hub = bed.startHub();
    long pid = hub.process().handle().pid();
    settle();
    values.add("hub_rss_idle", MeasuredProgram.ECHOPOST, now(pid));
    load(hub.process().port(), hub.apiKey());
    values.add("hub_rss_load", MeasuredProgram.ECHOPOST, peak(pid));
    bed.stop(hub);

    HubBed.Part part = bed.startPart("answer");
    settle();
    values.add("hub_rss_idle", FLOOR, now(part.process().pid()));
    load(part.port(), "none");
    values.add("hub_rss_load", FLOOR, peak(part.process().pid()));
    bed.stop(part);

    RunningHub crowded = bed.startHub();
    List<HubRequests> requests = new ArrayList<>();
    for (String apiKey : bed.createKeys(crowded, size.tenants())) {
      requests.add(HubRequests.single(apiKey));
    }
    try (LoadLoop load = crowded.load(requests)) {
      var _ = load.run(20L * size.tenants());
    }
    crowded.awaitApplied();
    values.add("hub_rss_tenants", MeasuredProgram.ECHOPOST, peak(crowded.process().handle().pid()));
    bed.stop(crowded);
  }

  private void load(int port, String apiKey) throws IOException {
    try (LoadLoop load = new LoadLoop(port, HubRequests.singles(apiKey, HubSize.CONNECTIONS))) {
      var _ = load.run(size.requests());
    }
    try (LoadLoop load = new LoadLoop(port, HubRequests.lines(apiKey, LINES, 4))) {
      var _ = load.run(size.burst() / LINES);
    }
  }

  private static double now(long pid) throws IOException {
    return new ProcessMemory(pid).resident() / MEBIBYTE;
  }

  private static double peak(long pid) throws IOException {
    return new ProcessMemory(pid).peakResident() / MEBIBYTE;
  }

  private static void settle() {
    long end = System.nanoTime() + SETTLE_NANOS;
    for (long left = SETTLE_NANOS; left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  @Override
  public List<Figure> figures() {
    return List.of(
        values.figure("hub_rss_idle", "RSS, idle", "MiB"),
        values.figure("hub_rss_load", "RSS, peak under load", "MiB"),
        values.figure(
            "hub_rss_tenants",
            String.format(java.util.Locale.ROOT, "RSS, peak with %,d tenants", size.tenants()),
            "MiB"));
  }
}
