package com.datanadhi.echopost.bench;

import com.datanadhi.testkit.Directories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Measures the command `restore`, from the archive alone and from a snapshot, each from a folder
/// and from S3; and a drill with the folder. MB are those of the databases that are made, and for a
/// drill those that it reads.
///
/// Floors: gunzip of the same segments, and inserts of the same rows into the same tables; a copy
/// of the snapshot's files; and that with a read of all rows, live and restored.
final class HubRestore implements Benchmark {
  private static final String INSERTS = "gunzip, inserts of the same rows";
  private static final String COPY = "copy of the files, synced";
  private static final int LINES = 100;
  private static final int REQUESTS = 10;
  private static final String[] FLAGS = {"--archive-interval", "1s", "--snapshots", "off"};

  private final HubBed bed;
  private final HubBacklog backlog;
  private final MeasuredValues values = new MeasuredValues();
  private final List<Stored> all = new ArrayList<>();

  HubRestore(HubBed bed, HubBacklog backlog) {
    this.bed = bed;
    this.backlog = backlog;
  }

  /// An object store with all records.
  ///
  /// @param seq up to here there is the archive alone
  /// @param snapshotSeq of the only snapshot, which is behind it
  private record Stored(ObjectPlace place, long seq, long snapshotSeq) {}

  @Override
  public String name() {
    return "restore and drill";
  }

  @Override
  public void round() throws Exception {
    RunningHub stopped = backlog.stopped();
    if (all.isEmpty()) {
      for (ObjectPlace place : bed.newPlaces()) {
        all.add(store(stopped, place));
      }
    }
    double megabytesPerRow = 0;
    for (Stored stored : all) {
      megabytesPerRow = restore("hub_restore", stored.place(), stored.seq());
      double _ = restore("hub_restore_snapshot", stored.place(), stored.snapshotSeq());
    }
    ObjectPlace folder = all.getFirst().place();
    Path floor = bed.newDirectory();
    Path archive = folder.directory().resolve("archive").resolve(RunningHub.TENANT);
    double[] inserts = bed.runFloor(RestoreFloor.class, floor.toString(), archive.toString());
    Directories.delete(floor);
    List<Path> snapshot = snapshot(folder);
    double copySeconds = FileCopyFloor.copy(snapshot, bed.newDirectory());
    for (Stored stored : all) {
      add("hub_restore", stored.place(), INSERTS, inserts[0], inserts[0] * megabytesPerRow);
      values.add("hub_restore_processor" + stored.place().suffix(), INSERTS, inserts[1]);
      add(
          "hub_restore_snapshot",
          stored.place(),
          COPY,
          stored.snapshotSeq() / copySeconds,
          FileCopyFloor.bytes(snapshot) / 1e6 / copySeconds);
    }
    drill(stopped, folder, snapshot, copySeconds);
  }

  /// Archives everything, and takes a snapshot after some records more.
  private Stored store(RunningHub stopped, ObjectPlace place) throws Exception {
    RunningHub hub = bed.startAgain(stopped, place, FLAGS);
    hub.awaitArchived(1);
    long seq = hub.seq();
    try (LoadLoop load = hub.load(HubRequests.differentLines(hub.apiKey(), LINES, 1))) {
      var _ = load.run(REQUESTS);
    }
    hub.awaitApplied();
    hub.awaitArchived(1);
    JsonNode snapshot =
        json(
            bed.runCommand(
                place,
                "snapshot",
                "--tenant-id",
                RunningHub.TENANT,
                "--data",
                hub.data().toString(),
                "--json"));
    bed.end(hub);
    return new Stored(place, seq, snapshot.required("seq").longValue());
  }

  private static JsonNode json(String output) {
    return JsonMapper.shared().readTree(output);
  }

  /// @return the MB of the restored databases, divided by the records
  private double restore(String figure, ObjectPlace place, long seq) throws Exception {
    Path output = bed.newDirectory();
    Duration cpuBefore = CpuTime.ofEndedChildren();
    long start = System.nanoTime();
    String cuts =
        bed.runCommand(
            place,
            "restore",
            "--objects",
            place.url(),
            "--tenant-id",
            RunningHub.TENANT,
            "--target-seq",
            Long.toString(seq),
            "--output-dir",
            output.toString(),
            "--json");
    double seconds = (System.nanoTime() - start) / 1e9;
    Duration cpu = CpuTime.ofEndedChildren().minus(cpuBefore);
    JsonNode cut = json(cuts).required(0);
    if (cut.required("seq").longValue() != seq
        || cut.required("snapshot_id").isNull() != figure.equals("hub_restore")) {
      throw new IllegalStateException("something else was restored: " + cuts);
    }
    double megabytes = FileCopyFloor.bytes(restored(output)) / 1e6;
    add(figure, place, MeasuredProgram.ECHOPOST, seq / seconds, megabytes / seconds);
    if (figure.equals("hub_restore")) {
      values.add(
          figure + "_processor" + place.suffix(),
          MeasuredProgram.ECHOPOST,
          cpu.toNanos() / 1e3 / seq);
    }
    Directories.delete(output);
    return megabytes / seq;
  }

  private static List<Path> restored(Path output) throws IOException {
    return databases(output.resolve("tenants"));
  }

  private static List<Path> snapshot(ObjectPlace folder) throws IOException {
    return databases(folder.directory().resolve("snapshots"));
  }

  /// The tenant's databases below a directory.
  private static List<Path> databases(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(file -> file.toString().endsWith(".db"))
          .filter(file -> file.toString().contains("/" + RunningHub.TENANT + "/"))
          .sorted()
          .toList();
    }
  }

  private void add(
      String figure, ObjectPlace place, String subject, double records, double megabytes) {
    values.add(figure + place.suffix(), subject, records);
    values.add(figure + "_bytes" + place.suffix(), subject, megabytes);
  }

  private void drill(
      RunningHub stopped, ObjectPlace folder, List<Path> snapshot, double copySeconds)
      throws Exception {
    RunningHub hub = bed.startAgain(stopped, folder, FLAGS);
    JsonNode drill =
        json(
            bed.runCommand(
                folder,
                "drill",
                "--tenant-id",
                RunningHub.TENANT,
                "--data",
                hub.data().toString(),
                "--json"));
    double gigabytes = drill.required("bytes").longValue() / 1e9;
    values.add(
        "hub_drill", MeasuredProgram.ECHOPOST, drill.required("seconds").doubleValue() / gigabytes);
    double reads = FileCopyFloor.read(hub.database()) + FileCopyFloor.read(snapshot.getFirst());
    values.add("hub_drill", "copy of the files, read of both", (copySeconds + reads) / gigabytes);
    bed.end(hub);
  }

  @Override
  public List<Figure> figures() {
    List<Figure> figures = new ArrayList<>();
    for (Stored stored : all) {
      String suffix = stored.place().suffix();
      String where = ", " + stored.place().label();
      figures.add(
          values.figure("hub_restore" + suffix, "restore from the archive" + where, "records/s"));
      figures.add(
          values.figure("hub_restore_bytes" + suffix, "restore from the archive" + where, "MB/s"));
      figures.add(
          values.figure(
              "hub_restore_processor" + suffix,
              "restore from the archive" + where + ": CPU time",
              "µs/record"));
      figures.add(
          values.figure(
              "hub_restore_snapshot" + suffix, "restore from a snapshot" + where, "records/s"));
      figures.add(
          values.figure(
              "hub_restore_snapshot_bytes" + suffix, "restore from a snapshot" + where, "MB/s"));
    }
    figures.add(values.figure("hub_drill", "drill with a snapshot", "s/GB"));
    return figures;
  }
}
