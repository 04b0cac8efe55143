package com.datanadhi.echopost.bench;

import com.datanadhi.testkit.Directories;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.json.JsonMapper;

/// Measures how fast the archiver works off a backlog while nothing is received, into a folder and
/// into S3; a snapshot into the folder; and a writer, one record at a time, meanwhile.
///
/// Floors: gzip of the same bytes in one thread; a copy of the same files; and the writer without a
/// snapshot.
final class HubArchive implements Benchmark {
  private static final String GZIP = "gzip of the same bytes";
  private static final String WITHOUT = "without a snapshot";
  private static final int WRITES = 50;

  private final HubBed bed;
  private final HubSize size;
  private final HubBacklog backlog;
  private final MeasuredValues values = new MeasuredValues();
  private final List<ObjectPlace> places = new ArrayList<>();
  private int rounds;

  HubArchive(HubBed bed, HubSize size, HubBacklog backlog) {
    this.bed = bed;
    this.size = size;
    this.backlog = backlog;
  }

  @Override
  public String name() {
    return "archive and snapshot";
  }

  @Override
  public void round() throws Exception {
    RunningHub stopped = backlog.stopped();
    if (places.isEmpty()) {
      places.addAll(bed.newPlaces());
    }
    String round = Integer.toString(++rounds);
    for (ObjectPlace all : places) {
      ObjectPlace place = all.within(round);
      RunningHub hub =
          bed.startAgain(stopped, place, "--archive-interval", "1s", "--snapshots", "off");
      archive(hub, place);
      if (place.isFolder()) {
        snapshot(hub, place);
      }
      bed.end(hub);
    }
    Path folder = places.getFirst().within(round).directory();
    Path archive = folder.resolve("archive").resolve(RunningHub.TENANT);
    double[] gzip = bed.runFloor(GzipFloor.class, archive.toString());
    for (ObjectPlace place : places) {
      values.add("hub_archive" + place.suffix(), GZIP, gzip[0]);
      values.add("hub_archive_processor" + place.suffix(), GZIP, gzip[1]);
    }
    Directories.delete(folder);
  }

  /// From the start of the hub, with the first reading that proves the chain.
  private void archive(RunningHub hub, ObjectPlace place) {
    CpuTime cpuTime = CpuTime.of(hub.process().handle());
    long start = System.nanoTime();
    hub.awaitArchived(1);
    double seconds = (System.nanoTime() - start) / 1e9;
    long records = (long) hub.metric("hub_archived_records_total");
    if (records < size.backlog()) {
      throw new IllegalStateException("only " + records + " records were archived");
    }
    values.add("hub_archive" + place.suffix(), MeasuredProgram.ECHOPOST, records / seconds);
    values.add(
        "hub_archive_processor" + place.suffix(),
        MeasuredProgram.ECHOPOST,
        cpuTime.microsPerRecord(records));
  }

  private void snapshot(RunningHub hub, ObjectPlace place) throws Exception {
    List<LoadLoop.Conversation> requests = HubRequests.differentSingles(hub.apiKey(), 1);
    try (LoadLoop load = hub.load(requests)) {
      var _ = load.run(size.singles());
      add(WITHOUT, load.run(size.singles()).sortedNanos());
    }
    hub.awaitApplied();
    double copySeconds = FileCopyFloor.copy(hub.databases(), bed.newDirectory());
    long bytes = FileCopyFloor.bytes(hub.databases());
    values.add("hub_snapshot", "copy of the files, synced", bytes / 1e6 / copySeconds);
    try (LoadLoop load = hub.load(requests)) {
      List<long[]> writes = new ArrayList<>();
      long start = System.nanoTime();
      Process command =
          bed.startCommand(
              place,
              "snapshot",
              "--tenant-id",
              RunningHub.TENANT,
              "--data",
              hub.data().toString(),
              "--json");
      CompletableFuture<Long> end = command.onExit().thenApply(_ -> System.nanoTime());
      do {
        writes.add(load.run(WRITES).sortedNanos());
      } while (!end.isDone());
      double seconds = (end.join() - start) / 1e9;
      long taken =
          JsonMapper.shared().readTree(HubBed.output(command)).required("bytes").longValue();
      values.add("hub_snapshot", MeasuredProgram.ECHOPOST, taken / 1e6 / seconds);
      add(
          MeasuredProgram.ECHOPOST,
          writes.stream().flatMapToLong(Arrays::stream).sorted().toArray());
    }
  }

  private void add(String subject, long[] sortedNanos) {
    int p99 = (int) (sortedNanos.length * 0.99);
    values.add("hub_snapshot_writer_p99", subject, sortedNanos[p99] / 1e6);
    values.add("hub_snapshot_writer_longest", subject, sortedNanos[sortedNanos.length - 1] / 1e6);
  }

  @Override
  public List<Figure> figures() {
    List<Figure> figures = new ArrayList<>();
    for (ObjectPlace place : places) {
      figures.addAll(archiveFigures(place.suffix(), place.label()));
    }
    figures.add(values.figure("hub_snapshot", "snapshot", "MB/s"));
    figures.add(
        values.figure("hub_snapshot_writer_p99", "one at a time during a snapshot: p99", "ms"));
    figures.add(
        values.figure(
            "hub_snapshot_writer_longest", "one at a time during a snapshot: longest", "ms"));
    return figures;
  }

  private List<Figure> archiveFigures(String suffix, String place) {
    return List.of(
        values.figure("hub_archive" + suffix, "archiving a backlog, " + place, "records/s"),
        values.figure(
            "hub_archive_processor" + suffix,
            "archiving a backlog, " + place + ": CPU time",
            "µs/record"));
  }
}
