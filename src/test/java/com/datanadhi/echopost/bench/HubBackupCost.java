package com.datanadhi.echopost.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Measures what archive and snapshots cost those who send: `POST /log` on 64 connections with
/// default flags, and with an archive and snapshots each second.
///
/// Floor: the same hub without archive and snapshots. Who comes first changes with each round.
final class HubBackupCost implements Benchmark {
  private static final String WITHOUT = "without archive and snapshots";

  private final HubBed bed;
  private final HubSize size;
  private final MeasuredValues values = new MeasuredValues();
  private int rounds;

  HubBackupCost(HubBed bed, HubSize size) {
    this.bed = bed;
    this.size = size;
  }

  private enum Mode {
    WITHOUT(RunningHub.WITHOUT_BACKUPS),
    DEFAULT(),
    EACH_SECOND("--archive-interval", "1s", "--snapshot-interval", "1s");

    @SuppressWarnings("ImmutableEnumChecker")
    private final String[] flags;

    Mode(String... flags) {
      this.flags = flags;
    }
  }

  @Override
  public String name() {
    return "cost of archive and snapshots";
  }

  @Override
  public void round() throws Exception {
    List<Mode> modes = new ArrayList<>(List.of(Mode.values()));
    Collections.rotate(modes, rounds++);
    for (Mode mode : modes) {
      measure(mode);
    }
  }

  private void measure(Mode mode) throws Exception {
    RunningHub hub = bed.startHub(mode.flags);
    List<LoadLoop.Conversation> requests =
        HubRequests.differentSingles(hub.apiKey(), HubSize.CONNECTIONS);
    try (LoadLoop load = hub.load(requests)) {
      var _ = load.run(Math.min(size.requests(), size.warmUp()));
    }
    awaitIdle(hub, mode);
    try (LoadLoop load = hub.load(requests)) {
      CpuTime cpuTime = CpuTime.of(hub.process().handle());
      LoadLoop.Result result = load.run(size.requests());
      double lag = mode == Mode.WITHOUT ? 0 : hub.metric("archive_lag_events");
      awaitIdle(hub, mode);
      double micros = cpuTime.microsPerRecord(size.requests());
      switch (mode) {
        case WITHOUT -> {
          add("hub_default", WITHOUT, result, micros);
          add("hub_backups", WITHOUT, result, micros);
        }
        case DEFAULT -> add("hub_default", MeasuredProgram.ECHOPOST, result, micros);
        case EACH_SECOND -> {
          add("hub_backups", MeasuredProgram.ECHOPOST, result, micros);
          values.add("hub_backups_lag", MeasuredProgram.ECHOPOST, lag);
        }
      }
    }
    bed.stop(hub);
  }

  private static void awaitIdle(RunningHub hub, Mode mode) {
    hub.awaitApplied();
    if (mode != Mode.WITHOUT) {
      hub.awaitArchived();
    }
  }

  private void add(String figure, String subject, LoadLoop.Result result, double micros) {
    values.add(figure, subject, result.perSecond());
    values.add(figure + "_p99", subject, result.latencyMillis(0.99));
    values.add(figure + "_processor", subject, micros);
  }

  @Override
  public List<Figure> figures() {
    List<Figure> figures = new ArrayList<>();
    figures.addAll(figures("hub_default", "POST /log, default flags"));
    figures.addAll(figures("hub_backups", "POST /log, archive and snapshots each second"));
    figures.add(
        values.figure(
            "hub_backups_lag",
            "POST /log, archive and snapshots each second: not archived at the end",
            "records"));
    return figures;
  }

  private List<Figure> figures(String name, String label) {
    return List.of(
        values.figure(name, label, "records/s"),
        values.figure(name + "_p99", label + ": p99 latency", "ms"),
        values.figure(
            name + "_processor", label + ": CPU time until all is archived", "µs/record"));
  }
}
